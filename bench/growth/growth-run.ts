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
import { cliffsOf, type GrowthMeasurement, growthOf, type RefusedPlace } from "./growth.ts";
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
  const refused: RefusedPlace[] = [];
  for (const name of plan.curves) {
    const setting = { timing: plan, mainPath, engine, servers, generator, folder, report, signal };
    const measured = await measureCurve(CURVES[name], setting);
    measurements.push(...measured.measurements);
    refused.push(...measured.refused);
  }
  const cells = growthOf(measurements);
  const growth = { cells, cliffs: cliffsOf(cells), refused };
  const charts = growthCharts(cells);
  const text = [
    `${machineLine(machine)}; store ${plan.store}, engine ${engine}, load generator in ${generator.kind}`,
    `${plan.rounds} rounds of ${plan.measureMs} ms: median (smallest–largest)`,
    growthText(growth),
    ...growthWarnings(cells).map((warning) => `Beware: ${warning}.`),
  ].join("\n\n");
  const results = asJson({ plan, machine, generator: generator.kind, ...growth, measurements });
  const path = await writeResults(new Map([["results.json", results], ["report.md", `${text}\n`], ...charts]));
  if (plan.publishes) await publishCharts(charts);
  console.log(`${text}\n\nEverything measured: ${path}`);
  console.log(growthLine(growth));
}
