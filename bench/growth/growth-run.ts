/**
 * A run that measures growth: one curve after the other.
 *
 * @module
 */

import { openGenerator } from "../generator.ts";
import { describeMachine } from "../machine.ts";
import type { BenchPlan } from "../plan.ts";
import { machineLine } from "../report.ts";
import { asJson, hostPathOf, openFolder, publishCharts, report, writeResults } from "../run-parts.ts";
import { startServers } from "../servers.ts";
import { CURVES } from "./curves.ts";
import { cliffsOf, type GrowthMeasurement, growthOf } from "./growth.ts";
import { growthCharts } from "./growth-charts.ts";
import { growthLine, growthText, growthWarnings } from "./growth-report.ts";
import { measureCurve } from "./growth-rounds.ts";

/** Measures, prints and writes down everything; the last line has the medians of each point, and the cliffs. */
export async function runGrowth(plan: BenchPlan, signal: AbortSignal): Promise<void> {
  const { engine } = plan;
  const machine = await describeMachine();
  const generator = await openGenerator(plan.generator, report);
  const mainPath = await hostPathOf(plan);
  await using owned = new AsyncDisposableStack();
  const folder = await openFolder(owned);
  const servers = await startServers({ store: plan.store, jobs: [], folder }, owned, report);
  const measurements: GrowthMeasurement[] = [];
  for (const name of plan.curves) {
    const setting = { timing: plan, mainPath, engine, servers, generator, folder, report, signal };
    measurements.push(...(await measureCurve(CURVES[name], setting)));
  }
  const cells = growthOf(measurements);
  const cliffs = cliffsOf(cells);
  const charts = growthCharts(cells);
  const text = [
    `${machineLine(machine)}; store ${plan.store}, engine ${engine}, load generator in ${generator.kind}`,
    `${plan.rounds} rounds of ${plan.measureMs} ms: median (smallest–largest)`,
    growthText(cells, cliffs),
    ...growthWarnings(cells).map((warning) => `Beware: ${warning}.`),
  ].join("\n\n");
  const results = asJson({ plan, machine, generator: generator.kind, cells, cliffs, measurements });
  const path = await writeResults(new Map([["results.json", results], ["report.md", `${text}\n`], ...charts]));
  if (plan.publishes) await publishCharts(charts);
  console.log(`${text}\n\nEverything measured: ${path}`);
  console.log(growthLine(cells, cliffs));
}
