/**
 * `fleet`: what do many plugins on one replica cost?
 *
 * @module
 */

import { Command } from "commander";
import { CONFIG_LIMIT_ROWS } from "../../src/contract/config-limits.ts";
import { listOf, wholeNumber } from "../options/values.ts";
import type { Start } from "../setup/setup-plan.ts";

/** Replicas of many plugins. */
export interface FleetPlan {
  /** Sizes of the fleet, one replica each. */
  readonly sizes: readonly number[];
  /** Components that the plugins take turns with: each has to be compiled once. */
  readonly components: number;
  /** The host's executable if it is not the one of this tree. */
  readonly hostPath: string | undefined;
  /** Writes the figures into what docs/performance.md shows. */
  readonly publishes: boolean;
}

interface FleetFlags {
  readonly plugins?: readonly number[];
  readonly components?: number;
  readonly host?: string;
  readonly publish?: true;
}

const SIZES = [1, 100, 10_000];
const COMPONENTS = 20;
const MAX_PLUGINS = CONFIG_LIMIT_ROWS.consumerPlugins.value;
const MAX_COMPONENTS = 1_000;

export function createFleetCommand(start: Start<FleetPlan>): Command {
  return new Command("fleet")
    .summary("measure what many plugins on one replica cost")
    .description(
      "Starts a replica of so many plugins with a warm cache, and measures when it is ready, what it holds, how long a plugin's first request takes, and what an idle fleet costs. Takes a minute or two. It needs Linux.",
    )
    .option(
      "--plugins <a,b>",
      `sizes of the fleet, a replica for each (default: ${SIZES.join(",")})`,
      listOf(wholeNumber(1, MAX_PLUGINS)),
    )
    .option(
      "--components <n>",
      `different components, which the plugins take turns with (default: ${COMPONENTS})`,
      wholeNumber(1, MAX_COMPONENTS),
    )
    .option("--host <file>", "measure this main.js instead of the one that is built from src/")
    .option("--publish", "write the figures into bench/published/figures.json; needs two sizes, the smallest first")
    .action(({ plugins, components, host, publish }: FleetFlags) =>
      start({
        sizes: plugins ?? SIZES,
        components: components ?? COMPONENTS,
        hostPath: host,
        publishes: publish === true,
      }),
    );
}
