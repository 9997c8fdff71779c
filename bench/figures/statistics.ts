/**
 * Medians, spreads and ratios over rounds. Pure.
 *
 * @module
 */

/** A figure over the rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The value in the middle, or the mean of the two there. Throws for no values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) throw new RangeError("no values have no median");
  return (lower + upper) / 2;
}

/** The median with the smallest and the largest value. Throws for no values. */
export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/**
 * The spread of the ratios of two series of the same rounds. The two values of one round were measured one after the
 * other, so what slows the machine for longer than that cancels out; it would not in the ratio of two medians.
 */
export function ratioOf(values: readonly number[], baseline: readonly number[]): Spread {
  if (values.length !== baseline.length) throw new RangeError("ratios need both series to have the same rounds");
  return spreadOf(values.map((value, round) => value / (baseline[round] ?? Number.NaN)));
}

/**
 * What the median of all values that there could be does not exceed, as far as these few tell, whatever their
 * distribution: the smallest of them with at least that `confidence`. Each value is below the true median as often as
 * above it, so how many are is a matter of tossing coins. `Infinity` where there are too few values to tell.
 */
export function medianAtMost(values: readonly number[], confidence: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  // Of coins, one for each value, so many heads at most: first none.
  let probability = 0.5 ** values.length;
  let atMost = 0;
  for (const [heads, value] of sorted.entries()) {
    atMost += probability;
    if (atMost >= confidence) return value;
    probability *= (values.length - heads) / (heads + 1);
  }
  return Number.POSITIVE_INFINITY;
}

/** The value that the fraction `q` of all values does not exceed (nearest rank). `sorted` ascends. 0 for no values. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  const rank = Math.max(1, Math.ceil(q * sorted.length));
  return sorted[Math.min(rank, sorted.length) - 1] ?? 0;
}
