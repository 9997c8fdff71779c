/**
 * `fairness`: do good plugins stay fast beside a hostile one?
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
import { listOf, oneOf } from "../options/values.ts";
import { addSetupOptions, type SetupFlags, setupOf, type SetupPlan, type Start } from "../setup/setup-plan.ts";
import { ATTACK_NAMES, type AttackName } from "./attacks.ts";

/** Good plugins, quiet and beside attacks. */
export interface FairnessPlan extends SetupPlan, Timing {
  readonly attacks: readonly AttackName[];
  /** Writes the figures into what docs/performance.md shows. */
  readonly publishes: boolean;
}

interface FairnessFlags extends SetupFlags, QuickFlags {
  readonly attacks?: readonly AttackName[];
  readonly publish?: true;
}

/** A fixed rate gives few requests: a p99 of less time is the luck of one of them. */
const TIMINGS: Timings = {
  full: { rounds: 5, settleMs: 8_000, warmUpMs: 1_000, measureMs: 10_000 },
  quick: { rounds: 3, settleMs: 5_000, warmUpMs: 1_000, measureMs: 4_000 },
};

export function createFairnessCommand(start: Start<FairnessPlan>): Command {
  const command = new Command("fairness")
    .summary("measure good plugins beside a hostile one")
    .description(
      "Measures the latency of good plugins at a fixed rate, quiet and beside a hostile plugin on the same replica, in turns. Takes 25 minutes, with --quick about a minute for each attack.",
    )
    .option("--quick", "fewer and shorter measurements")
    .option("--attacks <a,b>", `attacks, of ${ATTACK_NAMES.join(", ")} (default: all)`, listOf(oneOf(ATTACK_NAMES)))
    .option("--publish", "write the figures into bench/published/figures.json");
  addTimingOptions(command, TIMINGS.full, MIN_PAIRED_ROUNDS);
  return addSetupOptions(command).action((flags: FairnessFlags) =>
    start({
      ...setupOf(flags),
      ...timingOfForm(TIMINGS, flags),
      attacks: flags.attacks ?? ATTACK_NAMES,
      publishes: flags.publish === true,
    }),
  );
}
