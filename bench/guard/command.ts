/**
 * `guard`: has the host fallen behind its record?
 *
 * @module
 */

import { Command } from "commander";
import { addComparisonOptions, type ComparisonFlags, type ComparisonPlan } from "../comparison/comparison-plan.ts";
import { QUICK_CONTENDERS } from "../contenders/catalogue.ts";
import { BASIC_JOBS, type JobName } from "../jobs/jobs.ts";
import { addTimingOptions, MIN_ROUNDS, type Timing, timingOf } from "../options/timing.ts";
import { addSetupOptions, setupOf, type Start } from "../setup/setup-plan.ts";

/** A short comparison, held against a record. */
export interface GuardPlan extends ComparisonPlan {
  /** Rounds at most, where those of the plan leave it open whether the host has fallen behind. */
  readonly maxRounds: number;
  /** Writes down what is measured instead of holding it against what was. */
  readonly records: boolean;
}

interface GuardFlags extends ComparisonFlags {
  readonly record?: true;
}

/** Many short rounds: their median is steadier than that of a few long ones. */
const TIMING: Timing = { rounds: 11, settleMs: 3_000, warmUpMs: 300, measureMs: 1_000 };
/** Some five minutes for all jobs, with all that goes before. */
const MAX_ROUNDS = 25;
const CONCURRENCIES = [64];
/** Python stands for the plugins whose instances are large. */
const JOBS: readonly JobName[] = [...BASIC_JOBS, "python"];

export function createGuardCommand(start: Start<GuardPlan>): Command {
  const command = new Command("guard")
    .summary("fail if the host has fallen behind its record")
    .description(
      "Measures echo, kv and python beside the hand-written Node responder, and fails if the host has fallen behind bench/guard/recorded-ratios.json. Takes three to six minutes.",
    )
    .option("--record", "write that file from what is measured, on a quiet machine, instead of comparing with it");
  addComparisonOptions(command, JOBS.join(","), CONCURRENCIES.join(","));
  addTimingOptions(command, TIMING, MIN_ROUNDS);
  return addSetupOptions(command).action((flags: GuardFlags) => start(planOf(flags)));
}

function planOf(flags: GuardFlags): GuardPlan {
  const timing = timingOf(TIMING, flags);
  return {
    ...setupOf(flags),
    ...timing,
    jobs: flags.jobs ?? JOBS,
    contenders: QUICK_CONTENDERS,
    concurrencies: flags.concurrency ?? CONCURRENCIES,
    rateFractions: [],
    maxRounds: Math.max(timing.rounds, MAX_ROUNDS),
    records: flags.record === true,
  };
}
