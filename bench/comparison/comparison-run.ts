/**
 * A run that compares contenders: closed loop and fixed rates.
 *
 * @module
 */

import { NODE_NAME } from "../contenders/hand-written.ts";
import { hostName } from "../contenders/host.ts";
import { compare, type Comparison, type Measurement, ratioLine } from "../figures/measurement.ts";
import { publishRun } from "../published/publish.ts";
import { isServerRole } from "../servers/servers.ts";
import { machineLine } from "../setup/machine.ts";
import { publishCharts, writeRun } from "../setup/results.ts";
import type { RunPlan } from "./command.ts";
import { chartsOf } from "./comparison-charts.ts";
import { summarizeRates } from "./fixed-rates.ts";
import { measureAll } from "./measure-all.ts";
import { leftOutText, ratesText, reportText, warnings } from "./report.ts";
import { judge, targetsText } from "./targets.ts";

/** Measures, prints and writes down everything; the last line is the ratios. */
export async function runComparison(plan: RunPlan, signal: AbortSignal): Promise<void> {
  const measured = await measureAll(plan, signal);
  const { machine, measurements, summary, leftOut } = measured;
  const host = hostName(plan.engine);
  const rateCells = summarizeRates(measured.rates);
  const charts = chartsOf(summary.cells, rateCells);
  const text = [
    `${machineLine(machine)}; load generator in ${measured.generator === "go" ? "Go" : "Node"}`,
    `${plan.rounds} rounds of ${plan.measureMs} ms: median (smallest–largest)`,
    reportText(summary),
    ratesText(rateCells),
    `## Targets of ${host}`,
    targetsText(judge(measurements, host, isServerRole)),
    leftOutText(leftOut),
    warnings(summary.cells)
      .map((warning) => `Beware: ${warning}.`)
      .join("\n"),
  ];
  const report = text.filter((part) => part !== "").join("\n\n");
  const folder = await writeRun({ plan, ...measured, rateCells }, report, charts);
  if (plan.publishAs !== undefined) {
    const published = {
      machine: machineLine(machine),
      summary,
      baseline: NODE_NAME,
      others: comparisonsWithOthers(measurements, host),
      rateCells,
    };
    await publishRun(plan.publishAs, published);
    if (plan.publishAs === "basic") await publishCharts(charts);
  }
  console.log(`${report}\n`);
  console.log(`Everything measured: ${folder}`);
  console.log(ratioLine(summary.comparisons, host));
}

/** What targets are about, beside the hand-written responder in Node. */
function comparisonsWithOthers(
  measurements: readonly Measurement[],
  host: string,
): { readonly against: string; readonly comparison: Comparison }[] {
  const places = new Map(measurements.map(({ job, concurrency }) => [`${job}@${concurrency}`, { job, concurrency }]));
  const others = new Set(
    measurements.map(({ contender }) => contender).filter((name) => name !== host && name !== NODE_NAME),
  );
  return [...places.values()].flatMap((place) =>
    [...others].flatMap((against) => {
      const comparison = compare(measurements, { ...place, contender: host }, against, isServerRole);
      return comparison === undefined ? [] : [{ against, comparison }];
    }),
  );
}
