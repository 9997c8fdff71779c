/**
 * A run that measures fairness: good plugins beside each attack.
 *
 * @module
 */

import { openGenerator } from "../generator.ts";
import { JOBS } from "../jobs.ts";
import { describeMachine } from "../machine.ts";
import type { BenchPlan } from "../plan.ts";
import { machineLine } from "../report.ts";
import { asJson, hostPathOf, openFolder, report, writeResults } from "../run-parts.ts";
import { startServers } from "../servers.ts";
import { fairnessLine, fairnessOf, GOOD_JOBS } from "./fairness.ts";
import { fairnessText, fairnessWarnings } from "./fairness-report.ts";
import { measureFairness } from "./rounds.ts";

/** Measures, prints and writes down everything; the last line is the ratios of p99. */
export async function runFairness(plan: BenchPlan, signal: AbortSignal): Promise<void> {
  const machine = await describeMachine();
  const generator = await openGenerator(plan.generator, report);
  const mainPath = await hostPathOf(plan);
  await using owned = new AsyncDisposableStack();
  const folder = await openFolder(owned);
  const jobs = GOOD_JOBS.map((name) => JOBS[name]);
  const servers = await startServers({ store: plan.store, jobs, folder }, owned, report);
  const measurements = await measureFairness({ timing: plan, mainPath, servers, generator, folder, report, signal });
  const cells = fairnessOf(measurements);
  const results = { plan, machine, generator: generator.kind, cells, measurements };
  const path = await writeResults(new Map([["results.json", asJson(results)]]));

  console.log(`${machineLine(machine)}; store ${plan.store}, engine ${plan.engine}`);
  console.log(`${plan.rounds} rounds of ${plan.measureMs} ms each: median (smallest–largest)\n`);
  console.log(`${fairnessText(cells)}\n`);
  for (const warning of fairnessWarnings(cells)) console.log(`Beware: ${warning}.`);
  console.log(`Everything measured: ${path}`);
  console.log(fairnessLine(cells));
}
