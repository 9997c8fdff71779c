/**
 * What a run that compares contenders measures. Its options are those of several subcommands.
 *
 * @module
 */

import type { Command } from "commander";
import type { ContenderName } from "../contenders/catalogue.ts";
import { JOB_NAMES, type JobName } from "../jobs/jobs.ts";
import type { Timing, TimingFlags } from "../options/timing.ts";
import { listOf, oneOf, wholeNumber } from "../options/values.ts";
import type { SetupFlags, SetupPlan } from "../setup/setup-plan.ts";

/** Contenders at jobs. */
export interface ComparisonPlan extends SetupPlan, Timing {
  readonly jobs: readonly JobName[];
  readonly contenders: readonly ContenderName[];
  /** Requests in flight, one measurement for each; `undefined` is each job's own choice. */
  readonly concurrencies: readonly number[] | undefined;
  /** Fixed rates, as fractions of what the hand-written responder in Node does in a closed loop. */
  readonly rateFractions: readonly number[];
}

/** The options as commander hands them over. */
export interface ComparisonFlags extends SetupFlags, TimingFlags {
  readonly jobs?: readonly JobName[];
  readonly concurrency?: readonly number[];
}

/** A closed loop needs a key for each slot. */
const MAX_CONCURRENCY = 1_000;

/** @param jobs and `concurrencies` are the defaults in words */
export function addComparisonOptions(command: Command, jobs: string, concurrencies: string): Command {
  return command
    .option("--jobs <a,b>", `jobs, of ${JOB_NAMES.join(", ")} (default: ${jobs})`, listOf(oneOf(JOB_NAMES)))
    .option(
      "--concurrency <a,b>",
      `requests in flight, one measurement for each (default: ${concurrencies})`,
      listOf(wholeNumber(1, MAX_CONCURRENCY)),
    );
}
