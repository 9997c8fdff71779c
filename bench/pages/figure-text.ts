/**
 * Published figures as text. Pure.
 *
 * @module
 */

import type { Figure } from "../published/figures.ts";

/** The median, with the smallest and the largest value in brackets where they are known; nothing for no figure. */
export function figureText(figure: Figure | undefined, format: (value: number) => string): string {
  if (figure === undefined) return "";
  const { median, min, max } = figure;
  if (min === undefined || max === undefined) return format(median);
  return `${format(median)} (${format(min)}–${format(max)})`;
}

/** The median alone, without digits that say nothing: it may have been published with fewer than the format has. */
export function medianText(figure: Figure | undefined, format: (value: number) => string): string {
  return figure === undefined ? "" : plain(format(figure.median));
}

/** `2.20×` → `2.2×`, `10.0 ms` → `10 ms`. */
export function plain(text: string): string {
  return text.replace(/(\.\d*?)0+(?!\d)/, (_, kept: string) => (kept === "." ? "" : kept));
}

/** `1`, `1 and 2`, `1, 2 and 3`. */
export function listed(parts: readonly string[]): string {
  return [parts.slice(0, -1).join(", "), ...parts.slice(-1)].filter((part) => part !== "").join(" and ");
}

/** `0.39 to 0.57`, of any numbers in any order. */
export function ranged(values: readonly number[], format: (value: number) => string): string {
  const [least, most] = [Math.min(...values), Math.max(...values)].map(format);
  return least === most ? `${least}` : `${least} to ${most}`;
}
