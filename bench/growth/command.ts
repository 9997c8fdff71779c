/**
 * `growth`: does the cost of a request leap when something grows?
 *
 * @module
 */

import { Command } from "commander";
import {
  addTimingOptions,
  MIN_ROUNDS,
  type Timing,
  type QuickFlags,
  type Timings,
  timingOfForm,
} from "../options/timing.ts";
import { listOf, oneOf } from "../options/values.ts";
import { addSetupOptions, type SetupFlags, setupOf, type SetupPlan, type Start } from "../setup/setup-plan.ts";
import { CURVE_NAMES, type CurveName } from "./curves.ts";

/** Costs over what grows. */
export interface GrowthPlan extends SetupPlan, Timing {
  readonly curves: readonly CurveName[];
  /** Writes the figures into what docs/performance.md shows, and the charts into docs/. */
  readonly publishes: boolean;
}

interface GrowthFlags extends SetupFlags, QuickFlags {
  readonly curves?: readonly CurveName[];
  readonly publish?: true;
}

const TIMINGS: Timings = {
  full: { rounds: 5, settleMs: 3_000, warmUpMs: 400, measureMs: 1_500 },
  quick: { rounds: 5, settleMs: 1_500, warmUpMs: 200, measureMs: 700 },
};

export function createGrowthCommand(start: Start<GrowthPlan>): Command {
  const command = new Command("growth")
    .summary("look for cliffs over concurrency, payload, plugins, memory and replicas")
    .description(
      "Measures curves over requests in flight, payload, registered plugins, memory and replicas, and says whether one has a cliff. Takes ten minutes, with --quick less than eight.",
    )
    .option("--quick", "shorter measurements")
    .option("--curves <a,b>", `curves, of ${CURVE_NAMES.join(", ")} (default: all)`, listOf(oneOf(CURVE_NAMES)))
    .option("--publish", "write the figures into bench/published/figures.json and the charts into docs/");
  addTimingOptions(command, TIMINGS.full, MIN_ROUNDS);
  return addSetupOptions(command).action((flags: GrowthFlags) =>
    start({
      ...setupOf(flags),
      ...timingOfForm(TIMINGS, flags),
      curves: flags.curves ?? CURVE_NAMES,
      publishes: flags.publish === true,
    }),
  );
}
