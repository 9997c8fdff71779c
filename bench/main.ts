/**
 * `npm run bench`: runs the subcommand that the arguments name.
 *
 * Exit codes: 0 measured, 1 the measurement failed or its verdict is bad, 2 the arguments cannot be used, 130
 * interrupted.
 *
 * @module
 */

import { CommanderError } from "commander";
import { CommandError } from "../scripts/lib/command.ts";
import { ServerMissingError } from "../scripts/servers/binaries.ts";
import { runAgainst } from "./against/against-run.ts";
import { BenchError } from "./bench-error.ts";
import { runComparison } from "./comparison/comparison-run.ts";
import { runEngineCost } from "./engine-cost/engine-cost-run.ts";
import { runFairness } from "./fairness/fairness-run.ts";
import { runFleet } from "./fleet/fleet-run.ts";
import { runGrowth } from "./growth/growth-run.ts";
import { runGuard } from "./guard/guard-run.ts";
import { createProgram } from "./program.ts";
import { runRegistry } from "./registry/registry-run.ts";
import { runScaling } from "./scaling/scaling-run.ts";
import type { Start } from "./setup/setup-plan.ts";
import { runSoak } from "./soak/soak-run.ts";
import { runSwap } from "./swap/swap-run.ts";
import { runWrpc } from "./wrpc/wrpc-run.ts";

const FAILED = 1;
const USAGE = 2;
const INTERRUPTED = 130;

const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interruption.abort());

function interruptible<Plan>(run: (plan: Plan, signal: AbortSignal) => Promise<void>): Start<Plan> {
  return (plan) => run(plan, interruption.signal);
}

const program = createProgram({
  run: interruptible(runComparison),
  guard: interruptible(runGuard),
  against: interruptible(runAgainst),
  scaling: interruptible(runScaling),
  fairness: interruptible(runFairness),
  growth: interruptible(runGrowth),
  soak: interruptible(runSoak),
  swap: interruptible(runSwap),
  fleet: interruptible(runFleet),
  registry: interruptible(runRegistry),
  wrpc: interruptible(runWrpc),
  engineCost: interruptible(runEngineCost),
});

try {
  await program.parseAsync(process.argv);
} catch (error) {
  if (interruption.signal.aborted) process.exitCode = INTERRUPTED;
  // Commander has printed what there is to say.
  else if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : USAGE;
  else if (error instanceof BenchError || error instanceof CommandError || error instanceof ServerMissingError) {
    console.error(error.message);
    process.exitCode = FAILED;
  } else throw error;
}
