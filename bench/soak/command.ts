/**
 * `soak`: is memory flat over many requests?
 *
 * @module
 */

import { Argument, Command } from "commander";
import { wholeNumber } from "../options/values.ts";
import { addSetupOptions, type SetupFlags, setupOf, type SetupPlan, type Start } from "../setup/setup-plan.ts";
import { MIN_SOAK_REQUESTS } from "./soak.ts";

/** Many requests. */
export interface SoakPlan extends SetupPlan {
  /** In all. */
  readonly requests: number;
  /** Writes the figures into what docs/performance.md shows, and the chart into docs/. */
  readonly publishes: boolean;
}

interface SoakFlags extends SetupFlags {
  readonly publish?: true;
}

const REQUESTS = 1_000_000;
const MAX_REQUESTS = 100_000_000;

export function createSoakCommand(start: Start<SoakPlan>): Command {
  const command = new Command("soak")
    .summary("look at memory over a million requests")
    .description(
      "Sends echo and kv requests in turn, looks at the memory of every process, and says whether it is flat. A million requests take about three minutes. It needs Linux.",
    )
    .addArgument(
      new Argument("[requests]", `how many (default: ${REQUESTS.toLocaleString("en")})`).argParser(
        wholeNumber(MIN_SOAK_REQUESTS, MAX_REQUESTS),
      ),
    )
    .option("--publish", "write the figures into bench/published/figures.json and the chart into docs/");
  return addSetupOptions(command).action((requests: number | undefined, flags: SoakFlags) =>
    start({ ...setupOf(flags), requests: requests ?? REQUESTS, publishes: flags.publish === true }),
  );
}
