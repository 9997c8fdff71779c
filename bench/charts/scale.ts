/**
 * Where a value lies on an axis, and which values are written beside it. Pure.
 *
 * @module
 */

/** A value's place in the picture. */
export type Scale = (value: number) => number;

/** Maps the values from the smallest tick to the largest one onto the way from `start` to `end`. */
export function scaleOf(kind: "linear" | "log", ticks: readonly number[], start: number, end: number): Scale {
  const place = kind === "log" ? Math.log : (value: number) => value;
  const [low, high] = [place(Math.min(...ticks)), place(Math.max(...ticks))];
  if (!Number.isFinite(low)) throw new RangeError("a logarithmic axis has positive values only");
  if (low === high) return () => (start + end) / 2;
  return (value) => start + ((place(value) - low) / (high - low)) * (end - start);
}

/** From 0 to beyond the largest value, about five steps of 1, 2 or 5 times a power of ten. */
export function linearTicks(values: readonly number[]): number[] {
  const high = Math.max(...values);
  if (!(high > 0)) return [0, 1];
  const power = 10 ** Math.floor(Math.log10(high / 5));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((step) => high / step <= 5) ?? high;
  return Array.from({ length: Math.ceil(high / step) + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

/** The powers of ten around all values; within a single decade 1, 2 and 5 times one. */
export function logTicks(values: readonly number[]): number[] {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  if (!Number.isFinite(low)) throw new RangeError("a logarithmic axis has positive values only");
  const factors = high - low <= 2 ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  for (let power = low; power < high; power++) {
    for (const factor of factors) ticks.push(Number((factor * 10 ** power).toPrecision(3)));
  }
  return [...ticks, Number((10 ** high).toPrecision(3))];
}

/** A tick as text: thousands and millions short. */
export function labelOf(value: number): string {
  if (value >= 1_000_000) return `${Number((value / 1_000_000).toPrecision(3))}M`;
  if (value >= 1_000) return `${Number((value / 1_000).toPrecision(3))}k`;
  return String(Number(value.toPrecision(3)));
}

export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
