/**
 * `npm run bench`: measures this host beside a hand-written responder and other hosts of plugins doing the same work,
 * on real servers, in one run.
 *
 * Tables go to stdout, progress to stderr, everything measured to `bench/results/` as JSON, text and charts; the last
 * line of stdout is one line of JSON with the throughput ratios. A wrong reply fails the run. With `--fairness` it
 * measures good plugins beside a hostile one on the same replica instead, and the last line has the ratios of their
 * p99. With `--guard` it fails when the host has become slower than was recorded, with `--against` when it is slower than
 * another build. `--scaling`, `--growth`, `--soak` and
 * `--swap` are about the host alone: processes of a plugin, growth, memory, and the replacement of components.
 *
 * @module
 */

import { CommandError } from "../scripts/lib/command.ts";
import { ServerMissingError } from "../scripts/servers/binaries.ts";
import { runAgainst } from "./against/against-run.ts";
import { BenchError } from "./bench-error.ts";
import { runComparison } from "./comparison-run.ts";
import { runFairness } from "./fairness/fairness-run.ts";
import { runGuard } from "./guard-run.ts";
import { runGrowth } from "./growth/growth-run.ts";
import { type BenchPlan, parsePlan } from "./plan.ts";
import { runScaling } from "./scaling-run.ts";
import { runSoak } from "./soak/soak-run.ts";
import { runSwap } from "./swap/swap-run.ts";
import { USAGE } from "./usage.ts";

const INTERRUPTED = 130;

const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interruption.abort());

try {
  const plan = parsePlan(process.argv.slice(2));
  if (plan === undefined) console.log(USAGE);
  else await run(plan, interruption.signal);
} catch (error) {
  if (interruption.signal.aborted) process.exitCode = INTERRUPTED;
  else if (error instanceof BenchError || error instanceof CommandError || error instanceof ServerMissingError) {
    console.error(error.message);
    process.exitCode = 1;
  } else throw error;
}

function run(plan: BenchPlan, signal: AbortSignal): Promise<void> {
  switch (plan.mode) {
    case "full":
    case "quick":
      return runComparison(plan, signal);
    case "guard":
      return runGuard(plan, signal);
    case "against":
      return runAgainst(plan, signal);
    case "fairness":
      return runFairness(plan, signal);
    case "scaling":
      return runScaling(plan, signal);
    case "growth":
      return runGrowth(plan, signal);
    case "soak":
      return runSoak(plan, signal);
    case "swap":
      return runSwap(plan, signal);
  }
}
