/**
 * The benchmark's command line: a subcommand for each question. Each has a folder, with `command.ts` (its options and its
 * plan) and a run of that plan.
 *
 * @module
 */

import { Command } from "commander";
import { type AgainstPlan, createAgainstCommand } from "./against/command.ts";
import { createRunCommand, type RunPlan } from "./comparison/command.ts";
import { createEngineCostCommand, type EngineCostPlan } from "./engine-cost/command.ts";
import { createFairnessCommand, type FairnessPlan } from "./fairness/command.ts";
import { createFleetCommand, type FleetPlan } from "./fleet/command.ts";
import { createGrowthCommand, type GrowthPlan } from "./growth/command.ts";
import { createGuardCommand, type GuardPlan } from "./guard/command.ts";
import { createScalingCommand, type ScalingPlan } from "./scaling/command.ts";
import { createRegistryCommand, type RegistryPlan } from "./registry/command.ts";
import type { Start } from "./setup/setup-plan.ts";
import { createSoakCommand, type SoakPlan } from "./soak/command.ts";
import { createSwapCommand, type SwapPlan } from "./swap/command.ts";
import { createWrpcCommand, type WrpcPlan } from "./wrpc/command.ts";

/** What runs the plan of each subcommand. */
export interface Starts {
  readonly run: Start<RunPlan>;
  readonly guard: Start<GuardPlan>;
  readonly against: Start<AgainstPlan>;
  readonly scaling: Start<ScalingPlan>;
  readonly fairness: Start<FairnessPlan>;
  readonly growth: Start<GrowthPlan>;
  readonly soak: Start<SoakPlan>;
  readonly swap: Start<SwapPlan>;
  readonly fleet: Start<FleetPlan>;
  readonly registry: Start<RegistryPlan>;
  readonly wrpc: Start<WrpcPlan>;
  readonly engineCost: Start<EngineCostPlan>;
}

const HELP = `
Results go to stdout, progress to stderr, and everything measured to bench/results/. Stop other work on the machine first.
docs/benchmark.md says what is measured and how; docs/performance.md has the figures.`;

/** The command line. It throws commander's `CommanderError` for arguments that cannot be used, and for `--help`. */
export function createProgram(starts: Starts): Command {
  const program = new Command("npm run bench --")
    .description("Measures this host: beside others, beside itself, and over what grows.")
    .usage("<subcommand> [options]")
    .helpCommand(false)
    .addHelpText("after", HELP)
    .addCommand(createRunCommand(starts.run))
    .addCommand(createGuardCommand(starts.guard))
    .addCommand(createAgainstCommand(starts.against))
    .addCommand(createScalingCommand(starts.scaling))
    .addCommand(createFairnessCommand(starts.fairness))
    .addCommand(createGrowthCommand(starts.growth))
    .addCommand(createSoakCommand(starts.soak))
    .addCommand(createSwapCommand(starts.swap))
    .addCommand(createFleetCommand(starts.fleet))
    .addCommand(createRegistryCommand(starts.registry))
    .addCommand(createWrpcCommand(starts.wrpc))
    .addCommand(createEngineCostCommand(starts.engineCost));
  for (const command of [program, ...program.commands]) {
    command
      .exitOverride()
      .showHelpAfterError(`See npm run bench -- ${command === program ? "" : `${command.name()} `}--help`);
  }
  return program;
}
