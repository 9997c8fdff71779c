/**
 * Measures all contenders of a plan at all of its jobs.
 *
 * @module
 */

import { type LeftOut, prepareComponents, prepareContenders, startCompetitors } from "./competitors.ts";
import { createContenders } from "../contenders/catalogue.ts";
import type { Contender } from "../contenders/contender.ts";
import { NODE_NAME } from "../contenders/hand-written.ts";
import { type Measurement, type Summary, summarize } from "../figures/measurement.ts";
import type { Generator } from "../generator/generator.ts";
import { type Job, JOBS } from "../jobs/jobs.ts";
import { isServerRole, storeOf } from "../servers/servers.ts";
import type { Machine } from "../setup/machine.ts";
import { openRun } from "../setup/open-run.ts";
import { report } from "../setup/results.ts";
import type { ComparisonPlan } from "./comparison-plan.ts";
import { measureRates, type RateMeasurement } from "./fixed-rates.ts";
import { measureRounds } from "./rounds.ts";
import type { MoreRounds, RoundsSetting } from "./rounds-setting.ts";

/** What a run measured. */
export interface Comparisons {
  readonly machine: Machine;
  readonly generator: Generator["kind"];
  readonly measurements: readonly Measurement[];
  readonly rates: readonly RateMeasurement[];
  readonly leftOut: readonly LeftOut[];
  readonly summary: Summary;
}

/** What a run measures beyond its plan. */
export interface Beyond {
  /** Contenders beside those that the plan names. */
  readonly others?: readonly Contender[];
  readonly more?: MoreRounds;
}

/** Measures what the plan names. What this machine cannot measure is left out, with the reason. */
export async function measureAll(
  plan: ComparisonPlan,
  signal: AbortSignal,
  { others = [], more }: Beyond = {},
): Promise<Comparisons> {
  await using owned = new AsyncDisposableStack();
  const jobs = plan.jobs.map((name) => JOBS[name]);
  const { machine, generator, mainPath, folder, servers } = await openRun(plan, owned, jobs);
  const candidates = [...createContenders(plan.contenders, plan.engine, mainPath), ...others];
  const { ready, leftOut } = await prepareContenders(candidates, report);
  const setting = { plan, servers, generator, folder, report, more, signal };
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
