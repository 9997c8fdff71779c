/**
 * A run that measures growth: one curve after the other.
 *
 * @module
 */

import { figureOf, publish } from "../published/publish.ts";
import { machineLine } from "../setup/machine.ts";
import type { GrowthPlan } from "./command.ts";
import { openRun, setupLine } from "../setup/open-run.ts";
import { publishCharts, report, writeRun } from "../setup/results.ts";
import { CURVES } from "./curves.ts";
import { REPLICA_ROLES } from "../replicas/replica.ts";
import { cliffsOf, type GrowthCell, type GrowthMeasurement, growthOf, type RefusedPlace } from "./growth.ts";
import { growthCharts } from "./growth-charts.ts";
import { growthLine, growthText, growthWarnings } from "./growth-report.ts";
import { measureCurve } from "./growth-rounds.ts";

const MIB = 2 ** 20;

/** Measures, prints and writes down everything; the last line has the medians of each point, and the cliffs. */
export async function runGrowth(plan: GrowthPlan, signal: AbortSignal): Promise<void> {
  const { engine } = plan;
  await using owned = new AsyncDisposableStack();
  const run = await openRun(plan, owned);
  const { machine, generator, mainPath, folder, servers } = run;
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
    setupLine(run, plan),
    `${plan.rounds} rounds of ${plan.measureMs} ms: median (smallest–largest)`,
    growthText(growth),
    ...growthWarnings(cells).map((warning) => `Beware: ${warning}.`),
  ].join("\n\n");
  const path = await writeRun({ plan, machine, generator: generator.kind, ...growth, measurements }, text, charts);
  if (plan.publishes) {
    await publishCharts(charts);
    await publish("growth", {
      machine: machineLine(machine),
      points: cells.map((cell) => publishedPoint(cell)),
      cliffs: growth.cliffs.map(({ curve, job, cost, from, to }) => `${curve} ${job}: ${cost} from ${from} to ${to}`),
    });
  }
  console.log(`${text}\n\nEverything measured: ${path}`);
  console.log(growthLine(growth));
}

function publishedPoint({ curve, job, x, requestsPerSecond, cpuMicros, peakBytes }: GrowthCell) {
  const host = peakBytes[REPLICA_ROLES.host];
  return {
    curve,
    job,
    x,
    requestsPerSecond: figureOf(requestsPerSecond),
    ...(cpuMicros !== undefined && { cpuMicros: figureOf(cpuMicros) }),
    ...(host !== undefined && {
      hostMib: figureOf({ median: host.median / MIB, min: host.min / MIB, max: host.max / MIB }),
    }),
  };
}
