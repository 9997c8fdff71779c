/**
 * `scaling`: does a plugin that computes use every core?
 *
 * @module
 */

import { Command } from "commander";
import { addComparisonOptions, type ComparisonFlags, type ComparisonPlan } from "../comparison/comparison-plan.ts";
import type { JobName } from "../jobs/jobs.ts";
import { addTimingOptions, MIN_ROUNDS, type QuickFlags, type Timings, timingOfForm } from "../options/timing.ts";
import { addSetupOptions, setupOf, type Start } from "../setup/setup-plan.ts";

/** The host with one process for a plugin, beside itself with two. */
export interface ScalingPlan extends ComparisonPlan {
  /** Writes the figures into what docs/performance.md shows. */
  readonly publishes: boolean;
}

interface ScalingFlags extends ComparisonFlags, QuickFlags {
  readonly publish?: true;
}

const TIMINGS: Timings = {
  full: { rounds: 7, settleMs: 4_000, warmUpMs: 500, measureMs: 3_000 },
  quick: { rounds: 5, settleMs: 3_000, warmUpMs: 400, measureMs: 2_000 },
};
const JOBS: readonly JobName[] = ["compute", "compute-long"];
const CONCURRENCIES = [16];

export function createScalingCommand(start: Start<ScalingPlan>): Command {
  const command = new Command("scaling")
    .summary("compare a plugin with one process to the same one with two")
    .description(
      "Measures a plugin that computes, with one process and with two, in turns. Takes three minutes, with --quick two.",
    )
    .option("--quick", "fewer and shorter measurements")
    .option("--publish", "write the figures into bench/published/figures.json");
  addComparisonOptions(command, JOBS.join(","), CONCURRENCIES.join(","));
  addTimingOptions(command, TIMINGS.full, MIN_ROUNDS);
  return addSetupOptions(command).action((flags: ScalingFlags) =>
    start({
      ...setupOf(flags),
      ...timingOfForm(TIMINGS, flags),
      jobs: flags.jobs ?? JOBS,
      contenders: ["host-1-runner", "host-2-runners"],
      concurrencies: flags.concurrency ?? CONCURRENCIES,
      rateFractions: [],
      publishes: flags.publish === true,
    }),
  );
}
