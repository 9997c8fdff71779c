/**
 * A run on whether a plugin that computes uses every core: the host with one process for it and with two, in turns.
 *
 * @module
 */

import { BenchError } from "./bench-error.ts";
import { measureAll } from "./comparison-run.ts";
import { compare, type Comparison } from "./measurement.ts";
import type { BenchPlan } from "./plan.ts";
import { leftOutText, machineLine, reportText } from "./report.ts";
import { asJson, writeResults } from "./run-parts.ts";
import { isServerRole } from "./servers.ts";
import { judge, targetsText } from "./targets.ts";

const ONE = "host-1-runner";
const TWO = "host-2-runners";

/** Measures, prints and writes down everything; the last line is the throughput of two as a ratio to that of one. */
export async function runScaling(plan: BenchPlan, signal: AbortSignal): Promise<void> {
  const measured = await measureAll(plan, signal);
  const { machine, measurements, summary, leftOut } = measured;
  const places = new Map(measurements.map(({ job, concurrency }) => [`${job}@${concurrency}`, { job, concurrency }]));
  const comparisons = [...places.values()].flatMap(({ job, concurrency }): Comparison[] => {
    const comparison = compare(measurements, { job, concurrency, contender: TWO }, ONE, isServerRole);
    return comparison === undefined ? [] : [comparison];
  });
  if (comparisons.length === 0) throw new BenchError(leftOutText(leftOut) || `${ONE} and ${TWO} were not measured`);
  const text = [
    `${machineLine(machine)}; load generator in ${measured.generator}`,
    `${plan.rounds} rounds of ${plan.measureMs} ms: median (smallest–largest)`,
    reportText({ cells: summary.cells, comparisons }, ONE),
    targetsText(judge(measurements, TWO, isServerRole)),
  ].join("\n\n");
  const results = asJson({ plan, ...measured, summary: { ...summary, comparisons } });
  const folder = await writeResults(
    new Map([
      ["results.json", results],
      ["report.md", `${text}\n`],
    ]),
  );
  console.log(`${text}\n\nEverything measured: ${folder}`);
  const ratios = comparisons.map(({ job, concurrency, requestsPerSecond }) => [
    `${job}@${concurrency}`,
    Number(requestsPerSecond.median.toPrecision(3)),
  ]);
  console.log(JSON.stringify({ scaling: Object.fromEntries(ratios) }));
}
