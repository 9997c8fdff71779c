/**
 * What the measurements say about swaps: a plugin's latencies while components are replaced beside those without. Pure.
 *
 * @module
 */

import type { ReplicaJob } from "../replicas/basic-replica.ts";
import type { LoadFigures } from "../jobs/load-spec.ts";
import { digits, spread, table, times } from "../figures/report-text.ts";
import { median, ratioOf, type Spread, spreadOf } from "../figures/statistics.ts";

/** A plugin in one round: quiet, and then while components are replaced. */
export interface SwapMeasurement {
  readonly job: ReplicaJob;
  readonly round: number;
  readonly quiet: LoadFigures;
  readonly swapped: LoadFigures;
  /** From a component's replacement until the new one served, of all plugins. */
  readonly swapMs: readonly number[];
}

/** A plugin over the rounds. */
export interface SwapCell {
  readonly job: ReplicaJob;
  readonly quietP50Ms: Spread;
  readonly quietP99Ms: Spread;
  readonly swappedP50Ms: Spread;
  readonly swappedP99Ms: Spread;
  /** With swaps divided by quiet, round by round. */
  readonly p50: Spread;
  readonly p99: Spread;
  readonly maxMs: number;
  /** How late the load generator itself was (p99): part of the latencies. */
  readonly sendLagMs: Spread;
  /** Requests that failed while components were replaced, and without that. */
  readonly errors: number;
  readonly quietErrors: number;
  /** Of all plugins, in all rounds. */
  readonly swaps: number;
  readonly swapMs: number;
}

/** The promise: never more than this. */
export const PROMISED_SWAP_RATIO = 3;
/** A load generator that is later than this part of a p99 makes a good part of it. */
const LATE_GENERATOR = 0.5;

export function swapsOf(measurements: readonly SwapMeasurement[]): SwapCell[] {
  return [...Map.groupBy(measurements, ({ job }) => job)].map(([job, rounds]) => {
    const quiet = (figure: "p50" | "p99") => rounds.map((round) => round.quiet.latencyMs[figure]);
    const swapped = (figure: "p50" | "p99") => rounds.map((round) => round.swapped.latencyMs[figure]);
    const swapMs = rounds.flatMap((round) => round.swapMs);
    return {
      job,
      quietP50Ms: spreadOf(quiet("p50")),
      quietP99Ms: spreadOf(quiet("p99")),
      swappedP50Ms: spreadOf(swapped("p50")),
      swappedP99Ms: spreadOf(swapped("p99")),
      p50: ratioOf(swapped("p50"), quiet("p50")),
      p99: ratioOf(swapped("p99"), quiet("p99")),
      maxMs: Math.max(...rounds.map((round) => round.swapped.latencyMs.max)),
      sendLagMs: spreadOf(rounds.map((round) => round.swapped.sendLagP99Ms ?? 0)),
      errors: rounds.reduce((sum, round) => sum + round.swapped.errors, 0),
      quietErrors: rounds.reduce((sum, round) => sum + round.quiet.errors, 0),
      swaps: swapMs.length,
      swapMs: median(swapMs),
    };
  });
}

/** Does a plugin's p99 stay within the promise in every round, without a request that failed? */
export function keepsPromise({ p99, errors, quietErrors }: SwapCell): boolean {
  return p99.max <= PROMISED_SWAP_RATIO && errors === 0 && quietErrors === 0;
}

export function swapText(cells: readonly SwapCell[]): string {
  return table(
    [
      "",
      "swaps",
      "each ms",
      "p50 quiet, ms",
      "p50 ratio",
      "p99 quiet, ms",
      "p99 swapped, ms",
      "p99 ratio",
      "worst ms",
      "kept",
    ],
    cells.map((cell) => [
      cell.job,
      String(cell.swaps),
      digits(cell.swapMs),
      spread(cell.quietP50Ms, digits),
      spread(cell.p50, times),
      spread(cell.quietP99Ms, digits),
      spread(cell.swappedP99Ms, digits),
      spread(cell.p99, times),
      digits(cell.maxMs),
      keepsPromise(cell) ? "yes" : "no",
    ]),
  );
}

/** What must be known to read the figures rightly, and what breaks the promise. */
export function swapWarnings(cells: readonly SwapCell[]): readonly string[] {
  return cells.flatMap(({ job, p99, swappedP99Ms, sendLagMs, errors, quietErrors }) => [
    ...(errors > 0 ? [`${job}: ${errors} requests failed`] : []),
    ...(quietErrors > 0
      ? [`${job}: ${quietErrors} requests failed without a replacement: this machine has too much to do to tell`]
      : []),
    ...(p99.max > PROMISED_SWAP_RATIO
      ? [`${job}: p99 is up to ${times(p99.max)} its quiet value, never more than ${PROMISED_SWAP_RATIO}× is promised`]
      : []),
    ...(sendLagMs.median > LATE_GENERATOR * swappedP99Ms.median
      ? [
          `${job}: the load generator itself was ${digits(sendLagMs.median)} ms late (p99), which is part of the latencies`,
        ]
      : []),
  ]);
}

/** The last line of a run: ratios of p99, their median and their largest. */
export function swapLine(cells: readonly SwapCell[]): string {
  const short = (value: number): number => Number(value.toPrecision(3));
  const ratios = cells.map((cell) => [cell.job, { p99: short(cell.p99.median), worst: short(cell.p99.max) }]);
  const kept = cells.every(keepsPromise);
  return JSON.stringify({ swap: { promised: PROMISED_SWAP_RATIO, kept, ...Object.fromEntries(ratios) } });
}
