/**
 * How long and how often a run measures, and the options that change it.
 *
 * @module
 */

import type { Command } from "commander";
import { wholeNumber } from "./values.ts";

/** Times of one run. */
export interface Timing {
  readonly rounds: number;
  /** Load before the first measurement of each contender: compilers and caches settle. */
  readonly settleMs: number;
  /** Load before each measurement. */
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** The times of a subcommand that has a short form. */
export interface Timings {
  readonly full: Timing;
  /** With `--quick`. */
  readonly quick: Timing;
}

/** What the options say; absent where they say nothing. */
export interface TimingFlags {
  readonly rounds?: number;
  readonly measureMs?: number;
}

/** The same, of a subcommand that has a short form. */
export interface QuickFlags extends TimingFlags {
  readonly quick?: true;
}

/** A round is a pair of neighbouring measurements; fewer pairs have no meaningful spread. */
export const MIN_ROUNDS = 5;
/** Of measurements that are pairs of their own, each of them long: fewer have a meaningful spread. */
export const MIN_PAIRED_ROUNDS = 3;

const MAX_ROUNDS = 1_000;
const MIN_MEASURE_MS = 100;
const MAX_MEASURE_MS = 60_000;

/** @param defaults are shown by `--help` */
export function addTimingOptions(command: Command, defaults: Timing, minRounds: number): Command {
  return command
    .option(
      "--rounds <n>",
      `rounds, at least ${minRounds} (default: ${defaults.rounds})`,
      wholeNumber(minRounds, MAX_ROUNDS),
    )
    .option(
      "--measure-ms <ms>",
      `length of each measurement; warm-ups follow it (default: ${defaults.measureMs})`,
      wholeNumber(MIN_MEASURE_MS, MAX_MEASURE_MS),
    );
}

/** The defaults, changed as the options say. */
export function timingOf(defaults: Timing, { rounds, measureMs }: TimingFlags): Timing {
  return {
    ...defaults,
    ...(measureMs !== undefined && timingFor(measureMs)),
    ...(rounds !== undefined && { rounds }),
  };
}

/** The same for a subcommand that has a short form. */
export function timingOfForm({ full, quick }: Timings, flags: QuickFlags): Timing {
  return timingOf(flags.quick === true ? quick : full, flags);
}

/** Another length of each measurement, and everything else in proportion. */
function timingFor(measureMs: number): Omit<Timing, "rounds"> {
  return { settleMs: 2 * measureMs, warmUpMs: Math.round(measureMs / 4), measureMs };
}
