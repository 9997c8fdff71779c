/**
 * Measures the contenders at one job: in every round each of them at every concurrency, neighbours in time, and in
 * every second round in the opposite order, so that a machine that becomes slower favours none.
 *
 * @module
 */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Contender, RunningContender } from "./contenders/contender.ts";
import type { Generator } from "./generator.ts";
import { FILL_CONCURRENCY, type Job } from "./jobs.ts";
import type { JobSpec, LoadFigures, LoopSpec } from "./load-spec.ts";
import type { Measurement, ProcessCost } from "./measurement.ts";
import type { BenchPlan } from "./plan.ts";
import { usageOf, type WatchedProcess } from "./process-usage.ts";
import type { Servers } from "./servers.ts";

/** What the rounds are made with. */
export interface RoundsSetting {
  readonly plan: BenchPlan;
  readonly servers: Servers;
  readonly generator: Generator;
  readonly folder: string;
  readonly report: (line: string) => void;
  /** Aborted: no further measurement is begun. */
  readonly signal: AbortSignal;
}

interface Competitor {
  readonly name: string;
  readonly running: RunningContender;
}

/** Runs all rounds of a job. Contenders that are not being measured run, without load. */
export async function measureJob(
  job: Job,
  contenders: readonly Contender[],
  setting: RoundsSetting,
): Promise<Measurement[]> {
  const { plan, report, signal } = setting;
  await using owned = new AsyncDisposableStack();
  const competitors: Competitor[] = [];
  for (const contender of contenders) {
    signal.throwIfAborted();
    report(`${job.name}: starting ${contender.name} …`);
    competitors.push({ name: contender.name, running: await startContender(contender, job, setting, owned) });
  }
  const measurements: Measurement[] = [];
  for (let round = 1; round <= plan.rounds; round++) {
    const order = round % 2 === 1 ? competitors : competitors.toReversed();
    for (const concurrency of plan.concurrencies) {
      for (const competitor of order) {
        signal.throwIfAborted();
        measurements.push(await measure(competitor, job, concurrency, round, setting));
      }
      report(roundLine(measurements.slice(-order.length), plan.rounds));
    }
  }
  return measurements;
}

async function startContender(
  contender: Contender,
  job: Job,
  { servers, plan, folder, generator }: RoundsSetting,
  owned: AsyncDisposableStack,
): Promise<RunningContender> {
  const own = join(folder, `${job.name}-${contender.name}`);
  await mkdir(own);
  const running = await contender.start(job, { natsUrl: servers.natsUrl, store: servers.store, folder: own });
  owned.use(running);
  const load = (jobSpec: JobSpec, loop: Omit<LoopSpec, "subject">): Promise<LoadFigures> =>
    generator.run({ server: servers.natsUrl, loop: { subject: running.subject, ...loop }, job: jobSpec });
  if (job.load.kind === "kv") {
    await load({ ...job.load, filling: true }, { concurrency: FILL_CONCURRENCY, requests: job.load.keys });
  }
  await load(job.load, { concurrency: FILL_CONCURRENCY, warmUpMs: 0, measureMs: plan.settleMs });
  return running;
}

async function measure(
  { name, running }: Competitor,
  job: Job,
  concurrency: number,
  round: number,
  { plan, servers, generator }: RoundsSetting,
): Promise<Measurement> {
  const costs = await watch([...(await running.processes()), ...servers.processes]);
  const figures = await generator.run({
    server: servers.natsUrl,
    loop: { subject: running.subject, concurrency, warmUpMs: plan.warmUpMs, measureMs: plan.measureMs },
    job: job.load,
  });
  return {
    job: job.name,
    contender: name,
    concurrency,
    round,
    requests: figures.requests,
    requestsPerSecond: figures.requests / figures.seconds,
    latencyMs: figures.latencyMs,
    generatorLoad: figures.cpuSeconds / figures.totalSeconds,
    processes: await costs(figures.totalRequests),
  };
}

type Costs = (requests: number) => Promise<ProcessCost[]>;

/** Reads what processes have used; the result reads it again and shares the difference out over requests. */
async function watch(processes: readonly WatchedProcess[]): Promise<Costs> {
  const before = await Promise.all(processes.map(({ pid }) => usageOf(pid)));
  return async (requests) => {
    const after = await Promise.all(processes.map(({ pid }) => usageOf(pid)));
    const costs = new Map<string, ProcessCost>();
    for (const [index, { role }] of processes.entries()) {
      const [start, end] = [before[index], after[index]];
      if (start === undefined || end === undefined) continue;
      const { cpuSecondsPer10k, rssBytes } = costs.get(role) ?? { cpuSecondsPer10k: 0, rssBytes: 0 };
      costs.set(role, {
        role,
        cpuSecondsPer10k: cpuSecondsPer10k + ((end.cpuSeconds - start.cpuSeconds) / requests) * 10_000,
        rssBytes: rssBytes + end.rssBytes,
      });
    }
    return [...costs.values()];
  };
}

function roundLine(pair: readonly Measurement[], rounds: number): string {
  const [first] = pair;
  const figures = pair
    .toSorted((a, b) => a.contender.localeCompare(b.contender))
    .map(({ contender, requestsPerSecond }) => `${contender} ${Math.round(requestsPerSecond)}/s`);
  return `${first?.job}@${first?.concurrency} round ${first?.round}/${rounds}: ${figures.join(", ")}`;
}
