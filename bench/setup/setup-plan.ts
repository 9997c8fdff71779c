/**
 * What every subcommand that starts servers and replicas can be told: engine, store, load generator, build.
 *
 * @module
 */

import { type Command, Option } from "commander";
import { ENGINE_CHOICES, type EngineChoice } from "../../src/contract/artifact.ts";
import { GENERATOR_CHOICES, type GeneratorChoice } from "../generator/generator.ts";
import { STORE_KINDS, type StoreKind } from "../servers/servers.ts";

/** What a run is set up with. */
export interface SetupPlan {
  /** Of the host. */
  readonly engine: EngineChoice;
  readonly store: StoreKind;
  readonly generator: GeneratorChoice;
  /** The host's executable if it is not the one of this tree: to measure another build. */
  readonly hostPath: string | undefined;
}

/** The options as commander hands them over. */
export interface SetupFlags {
  readonly engine: EngineChoice;
  readonly store: StoreKind;
  readonly generator: GeneratorChoice;
  readonly host?: string;
}

/** Runs a plan to its end. */
export type Start<Plan> = (plan: Plan) => Promise<void>;

export function addSetupOptions(command: Command): Command {
  return command
    .addOption(new Option("--engine <engine>", "engine of the host").choices(ENGINE_CHOICES).default("auto"))
    .addOption(
      new Option("--store <kind>", "store; mongodb is a replica set of one").choices(STORE_KINDS).default("mongodb"),
    )
    .addOption(
      new Option("--generator <kind>", "load generator; auto is the one in Go where there is a Go toolchain")
        .choices(GENERATOR_CHOICES)
        .default("auto"),
    )
    .option("--host <file>", "measure this main.js instead of the one that is built from src/");
}

export function setupOf({ engine, store, generator, host }: SetupFlags): SetupPlan {
  return { engine, store, generator, hostPath: host };
}
