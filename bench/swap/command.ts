/**
 * `swap`: what does replacing components cost the plugin's callers?
 *
 * @module
 */

import { Command } from "commander";
import {
  addTimingOptions,
  MIN_PAIRED_ROUNDS,
  type Timing,
  type QuickFlags,
  type Timings,
  timingOfForm,
} from "../options/timing.ts";
import { addSetupOptions, type SetupFlags, setupOf, type SetupPlan, type Start } from "../setup/setup-plan.ts";

/** Plugins, quiet and while their components are replaced. */
export interface SwapPlan extends SetupPlan, Timing {
  /** Writes the figures into what docs/performance.md shows. */
  readonly publishes: boolean;
}

interface SwapFlags extends SetupFlags, QuickFlags {
  readonly publish?: true;
}

const TIMINGS: Timings = {
  full: { rounds: 5, settleMs: 5_000, warmUpMs: 1_000, measureMs: 10_000 },
  quick: { rounds: 3, settleMs: 3_000, warmUpMs: 500, measureMs: 6_000 },
};

export function createSwapCommand(start: Start<SwapPlan>): Command {
  const command = new Command("swap")
    .summary("measure plugins while their components are replaced")
    .description(
      "Measures the latency of plugins at a fixed rate, quiet and while their components are replaced without end, in turns. Takes three minutes, with --quick one.",
    )
    .option("--quick", "fewer and shorter measurements")
    .option("--publish", "write the figures into bench/published/figures.json");
  addTimingOptions(command, TIMINGS.full, MIN_PAIRED_ROUNDS);
  return addSetupOptions(command).action((flags: SwapFlags) =>
    start({
      ...setupOf(flags),
      ...timingOfForm(TIMINGS, flags),
      publishes: flags.publish === true,
    }),
  );
}
