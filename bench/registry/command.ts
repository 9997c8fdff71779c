/**
 * `registry`: what does it cost a start that components are in a registry?
 *
 * @module
 */

import { Command } from "commander";
import { MIN_PAIRED_ROUNDS } from "../options/timing.ts";
import { wholeNumber } from "../options/values.ts";
import type { Start } from "../setup/setup-plan.ts";

/** Starts with components of files and of a registry, in turns. */
export interface RegistryPlan {
  readonly rounds: number;
  /** Plugins of the replica that has many. */
  readonly plugins: number;
  /** Components that they take turns with: each has to be compiled once. */
  readonly components: number;
  /** The host's executable if it is not the one of this tree. */
  readonly hostPath: string | undefined;
}

interface RegistryFlags {
  readonly rounds?: number;
  readonly plugins?: number;
  readonly components?: number;
  readonly host?: string;
}

const ROUNDS = 5;
const PLUGINS = 100;
const COMPONENTS = 100;
const MAX_ROUNDS = 100;
const MAX_PLUGINS = 1_000;

export function createRegistryCommand(start: Start<RegistryPlan>): Command {
  return new Command("registry")
    .summary("measure starts with components of a registry beside those of files")
    .description(
      "Starts replicas whose components are files and replicas whose components are in a registry, in turns, and measures when they are ready: one large component with a cold cache; many small ones that are compiled already but have to be fetched; and the many with a warm cache. Takes a few minutes.",
    )
    .option(
      "--rounds <n>",
      `rounds, at least ${MIN_PAIRED_ROUNDS} (default: ${ROUNDS})`,
      wholeNumber(MIN_PAIRED_ROUNDS, MAX_ROUNDS),
    )
    .option("--plugins <n>", `plugins where there are many (default: ${PLUGINS})`, wholeNumber(1, MAX_PLUGINS))
    .option(
      "--components <n>",
      `different components, which the many take turns with (default: ${COMPONENTS})`,
      wholeNumber(1, MAX_PLUGINS),
    )
    .option("--host <file>", "measure this main.js instead of the one that is built from src/")
    .action(({ rounds, plugins, components, host }: RegistryFlags) =>
      start({
        rounds: rounds ?? ROUNDS,
        plugins: plugins ?? PLUGINS,
        components: components ?? COMPONENTS,
        hostPath: host,
      }),
    );
}
