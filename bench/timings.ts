/**
 * How long and how often each kind of run measures.
 *
 * @module
 */

/** What a run is for. */
export type BenchMode = "full" | "quick" | "guard" | "against" | "fairness" | "scaling" | "growth" | "soak" | "swap";

/** Times of one run. */
export interface Timing {
  readonly rounds: number;
  /** Load before the first measurement of each contender: compilers and caches settle. */
  readonly settleMs: number;
  /** Load before each measurement. */
  readonly warmUpMs: number;
  readonly measureMs: number;
}

const FULL: Timing = { rounds: 5, settleMs: 4_000, warmUpMs: 500, measureMs: 2_000 };
const QUICK: Timing = { rounds: 5, settleMs: 3_000, warmUpMs: 400, measureMs: 1_500 };

const TIMINGS: Readonly<Record<BenchMode, { readonly full: Timing; readonly quick: Timing }>> = {
  full: { full: FULL, quick: QUICK },
  quick: { full: QUICK, quick: QUICK },
  // Many short rounds: their median is steadier than that of a few long ones.
  guard: same({ rounds: 11, settleMs: 3_000, warmUpMs: 300, measureMs: 1_000 }),
  // What two builds differ by is less than what a machine does from round to round.
  against: same({ rounds: 25, settleMs: 4_000, warmUpMs: 300, measureMs: 1_500 }),
  // A fixed rate gives few requests: a p99 of less time is the luck of one of them.
  fairness: {
    full: { rounds: 5, settleMs: 8_000, warmUpMs: 1_000, measureMs: 10_000 },
    quick: { rounds: 3, settleMs: 5_000, warmUpMs: 1_000, measureMs: 4_000 },
  },
  scaling: {
    full: { rounds: 7, settleMs: 4_000, warmUpMs: 500, measureMs: 3_000 },
    quick: { rounds: 5, settleMs: 3_000, warmUpMs: 400, measureMs: 2_000 },
  },
  growth: {
    full: { rounds: 5, settleMs: 3_000, warmUpMs: 400, measureMs: 1_500 },
    quick: { rounds: 5, settleMs: 1_500, warmUpMs: 200, measureMs: 700 },
  },
  // It counts requests, and looks at memory in between.
  soak: same({ rounds: 1, settleMs: 0, warmUpMs: 0, measureMs: 0 }),
  swap: {
    full: { rounds: 5, settleMs: 5_000, warmUpMs: 1_000, measureMs: 10_000 },
    quick: { rounds: 3, settleMs: 3_000, warmUpMs: 500, measureMs: 6_000 },
  },
};

/** Modes whose measurements come in pairs of their own, each long: fewer of them have a meaningful spread. */
const PAIRED: ReadonlySet<BenchMode> = new Set(["fairness", "swap"]);
/** A round is a pair of neighbouring measurements; fewer pairs have no meaningful spread. */
const MIN_ROUNDS = 5;
const MIN_PAIRED_ROUNDS = 3;

export function timingOf(mode: BenchMode, isQuick: boolean): Timing {
  return TIMINGS[mode][isQuick ? "quick" : "full"];
}

/** Another time of each measurement, and everything else in proportion. */
export function timingFor(measureMs: number): Omit<Timing, "rounds"> {
  return { settleMs: 2 * measureMs, warmUpMs: Math.round(measureMs / 4), measureMs };
}

/** Fewer rounds than these mean nothing. */
export function minRoundsOf(mode: BenchMode): number {
  return PAIRED.has(mode) ? MIN_PAIRED_ROUNDS : MIN_ROUNDS;
}

function same(timing: Timing): { readonly full: Timing; readonly quick: Timing } {
  return { full: timing, quick: timing };
}
