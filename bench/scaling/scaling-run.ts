/**
 * A run on whether a plugin that computes uses every core: the host with one process for it and with two, in turns.
 *
 * @module
 */

import { figureOf, publish } from "../published/publish.ts";
import { BenchError } from "../bench-error.ts";
import { measureAll } from "../comparison/measure-all.ts";
import { type Cell, compare, type Comparison } from "../figures/measurement.ts";
import type { ScalingPlan } from "./command.ts";
import { leftOutText, reportText } from "../comparison/report.ts";
import { machineLine } from "../setup/machine.ts";
import { writeRun } from "../setup/results.ts";
import { isServerRole } from "../servers/servers.ts";
import { judge, targetsText } from "../comparison/targets.ts";

const ONE = "host-1-runner";
const TWO = "host-2-runners";

/** Measures, prints and writes down everything; the last line is the throughput of two as a ratio to that of one. */
export async function runScaling(plan: ScalingPlan, signal: AbortSignal): Promise<void> {
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
  const folder = await writeRun({ plan, ...measured, summary: { ...summary, comparisons } }, text);
  if (plan.publishes)
    await publish("scaling", { machine: machineLine(machine), rows: rowsOf(comparisons, summary.cells) });
  console.log(`${text}\n\nEverything measured: ${folder}`);
  const ratios = comparisons.map(({ job, concurrency, requestsPerSecond }) => [
    `${job}@${concurrency}`,
    Number(requestsPerSecond.median.toPrecision(3)),
  ]);
  console.log(JSON.stringify({ scaling: Object.fromEntries(ratios) }));
}

function rowsOf(comparisons: readonly Comparison[], cells: readonly Cell[]) {
  return comparisons.flatMap(({ job, concurrency, requestsPerSecond }) => {
    const throughputOf = (name: string) =>
      cells.find((cell) => cell.job === job && cell.concurrency === concurrency && cell.contender === name)
        ?.requestsPerSecond;
    const [one, two] = [throughputOf(ONE), throughputOf(TWO)];
    if (one === undefined || two === undefined) return [];
    return [{ job, concurrency, one: figureOf(one), two: figureOf(two), ratio: figureOf(requestsPerSecond) }];
  });
}
