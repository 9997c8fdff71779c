/**
 * A run that compares contenders: all jobs, closed loop and fixed rates.
 *
 * @module
 */

import { resolve } from "node:path";
import { chartsOf } from "./charts/charts.ts";
import { type LeftOut, prepareComponents, prepareContenders, startCompetitors } from "./competitors.ts";
import { createContenders } from "./contenders/catalogue.ts";
import type { Contender } from "./contenders/contender.ts";
import { NODE_NAME } from "./contenders/hand-written.ts";
import { hostName, otherBuild } from "./contenders/host.ts";
import { type Generator, openGenerator } from "./generator.ts";
import { type Job, JOBS } from "./jobs.ts";
import { describeMachine, type Machine } from "./machine.ts";
import { type Measurement, ratioLine, type Summary, summarize } from "./measurement.ts";
import { measureRates, type RateMeasurement, summarizeRates } from "./open-loop.ts";
import type { BenchPlan } from "./plan.ts";
import { leftOutText, machineLine, ratesText, reportText, warnings } from "./report.ts";
import { measureRounds, type RoundsSetting } from "./rounds.ts";
import { asJson, hostPathOf, openFolder, publishCharts, report, writeResults } from "./run-parts.ts";
import { isServerRole, startServers, storeOf } from "./servers.ts";
import { judge, targetsText } from "./targets.ts";

/** What a run measured. */
export interface Comparisons {
  readonly machine: Machine;
  readonly generator: Generator["kind"];
  readonly measurements: readonly Measurement[];
  readonly rates: readonly RateMeasurement[];
  readonly leftOut: readonly LeftOut[];
  readonly summary: Summary;
}

/** Measures, prints and writes down everything; the last line is the ratios. */
export async function runComparison(plan: BenchPlan, signal: AbortSignal): Promise<void> {
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
  const results = asJson({ plan, ...measured, rateCells });
  const folder = await writeResults(new Map([["results.json", results], ["report.md", `${report}\n`], ...charts]));
  if (plan.publishes) await publishCharts(charts);
  console.log(`${report}\n`);
  console.log(`Everything measured: ${folder}`);
  console.log(ratioLine(summary.comparisons, host));
}

/**
 * Measures what the plan names. What this machine cannot measure is left out, with the reason. `suffices`: see
 * {@link RoundsSetting}.
 */
export async function measureAll(
  plan: BenchPlan,
  signal: AbortSignal,
  suffices: RoundsSetting["suffices"] = () => true,
): Promise<Comparisons> {
  const machine = await describeMachine();
  const generator = await openGenerator(plan.generator, report);
  const candidates = [
    ...createContenders(plan.contenders, plan.engine, await hostPathOf(plan)),
    ...(plan.againstPath === undefined ? [] : [otherBuild(resolve(plan.againstPath), plan.engine)]),
  ];
  const { ready, leftOut } = await prepareContenders(candidates, report);
  await using owned = new AsyncDisposableStack();
  const folder = await openFolder(owned);
  const jobs = plan.jobs.map((name) => JOBS[name]);
  const servers = await startServers({ store: plan.store, jobs, folder }, owned, report);
  const setting = { plan, servers, generator, folder, report, suffices, signal };
  const measurements: Measurement[] = [];
  const rates: RateMeasurement[] = [];
  const allLeftOut = [...leftOut];
  for (const job of jobs) {
    const measured = await measureJob(job, ready, setting);
    measurements.push(...measured.closed);
    rates.push(...measured.rates);
    allLeftOut.push(...measured.leftOut);
  }
  const summary = summarize(measurements, NODE_NAME, isServerRole);
  for (const { what, reason } of allLeftOut) report(`left out: ${what}: ${reason}`);
  return { machine, generator: generator.kind, measurements, rates, leftOut: allLeftOut, summary };
}

interface JobResult {
  readonly closed: readonly Measurement[];
  readonly rates: readonly RateMeasurement[];
  readonly leftOut: readonly LeftOut[];
}

async function measureJob(job: Job, contenders: readonly Contender[], setting: RoundsSetting): Promise<JobResult> {
  const { kind } = storeOf(job, setting.servers).store;
  if (job.grows && kind !== "mongodb") {
    return { closed: [], rates: [], leftOut: [{ what: job.name, reason: "only MongoDB can be emptied in between" }] };
  }
  const components = await prepareComponents(job, report);
  if ("reason" in components) return { closed: [], rates: [], leftOut: [components] };
  const able = contenders.filter((contender) => contender.refuses(job, kind) === undefined);
  const refused = contenders.flatMap((contender) => {
    const reason = contender.refuses(job, kind);
    return reason === undefined ? [] : [{ what: `${contender.name} at ${job.name}`, reason }];
  });
  await using owned = new AsyncDisposableStack();
  const { competitors, leftOut } = await startCompetitors(job, able, components, setting, owned);
  const closed = await measureRounds(job, competitors, setting);
  const allLeftOut = [...refused, ...leftOut, ...closed.leftOut];
  const remaining = competitors.filter(({ name }) => closed.measurements.some(({ contender }) => contender === name));
  const rates = job.hasRates ? await measureRates(job, remaining, NODE_NAME, closed.measurements, setting) : [];
  return { closed: closed.measurements, rates, leftOut: allLeftOut };
}
