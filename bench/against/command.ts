/**
 * `against`: is the host slower than another build of it?
 *
 * @module
 */

import { Command } from "commander";
import { addComparisonOptions, type ComparisonFlags, type ComparisonPlan } from "../comparison/comparison-plan.ts";
import { BASIC_JOBS } from "../jobs/jobs.ts";
import { addTimingOptions, MIN_ROUNDS, type Timing, timingOf } from "../options/timing.ts";
import { addSetupOptions, setupOf, type Start } from "../setup/setup-plan.ts";

/** The host beside another build of it. */
export interface AgainstPlan extends ComparisonPlan {
  /** The other build's executable. */
  readonly otherPath: string;
}

/** What two builds differ by is less than what a machine does from round to round: hence so many rounds. */
const TIMING: Timing = { rounds: 25, settleMs: 4_000, warmUpMs: 300, measureMs: 1_500 };
const CONCURRENCIES = [64];

export function createAgainstCommand(start: Start<AgainstPlan>): Command {
  const command = new Command("against")
    .summary("fail if the host is slower than another build of it")
    .description(
      "Measures echo and kv on this build and on another one, in turns on the same servers, and fails if this one is slower. Takes four minutes.",
    )
    .argument("<main.js>", "executable of the other build, as in ../before/dist/main.js");
  addComparisonOptions(command, BASIC_JOBS.join(","), CONCURRENCIES.join(","));
  addTimingOptions(command, TIMING, MIN_ROUNDS);
  return addSetupOptions(command).action((otherPath: string, flags: ComparisonFlags) =>
    start({
      ...setupOf(flags),
      ...timingOf(TIMING, flags),
      jobs: flags.jobs ?? BASIC_JOBS,
      contenders: ["host"],
      concurrencies: flags.concurrency ?? CONCURRENCIES,
      rateFractions: [],
      otherPath,
    }),
  );
}
