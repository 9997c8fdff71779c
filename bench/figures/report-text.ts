/**
 * Figures and tables as text. Pure.
 *
 * @module
 */

import type { Spread } from "./statistics.ts";

/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

/** The median, with the smallest and the largest value in brackets. */
export function spread({ median, min, max }: Spread, format: (value: number) => string): string {
  return `${format(median)} (${format(min)}–${format(max)})`;
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** Three digits that count, two of a small figure. */
export function digits(value: number): string {
  if (value >= 100) return whole(value);
  if (value >= 10) return value.toFixed(1);
  return value >= 0.1 || value === 0 ? value.toFixed(2) : value.toPrecision(2);
}

export function times(value: number): string {
  return `${digits(value)}×`;
}

export function percent(value: number): string {
  return `${Math.round(value * 100)} %`;
}
