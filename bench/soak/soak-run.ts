/**
 * A run over many requests, echo and key-value in turn, that looks at the memory of every process.
 *
 * @module
 */

import { REPLICA_JOBS, startBasicReplica, subjectOf } from "../basic-replica.ts";
import { BenchError } from "../bench-error.ts";
import { type Generator, openGenerator } from "../generator.ts";
import { JOBS } from "../jobs.ts";
import { describeMachine } from "../machine.ts";
import type { BenchPlan } from "../plan.ts";
import { usageOf, type WatchedProcess } from "../process-usage.ts";
import { REPLICA_ROLES, type RunningReplica } from "../replica.ts";
import { machineLine } from "../report.ts";
import { asJson, hostPathOf, openFolder, publishCharts, report, writeResults } from "../run-parts.ts";
import { type Servers, startServers } from "../servers.ts";
import { judgeSoak, partsOf, rangesOf, requestsPerSample, SAMPLES, SOAK_CONCURRENCY, type SoakSample } from "./soak.ts";
import { soakChart, soakLine, soakText, soakWarnings } from "./soak-report.ts";

const MIB = 2 ** 20;

/** Measures, prints and writes down everything; the last line says whether memory is flat. */
export async function runSoak(plan: BenchPlan, signal: AbortSignal): Promise<void> {
  const machine = await describeMachine();
  const generator = await openGenerator(plan.generator, report);
  const mainPath = await hostPathOf(plan);
  await using owned = new AsyncDisposableStack();
  const folder = await openFolder(owned);
  const servers = await startServers({ store: plan.store, jobs: [], folder }, owned, report);
  const { engine } = plan;
  const { replica } = await startBasicReplica({ mainPath, engine, servers, generator, folder, report }, owned);
  const samples = await soak(plan.soakRequests, { servers, generator, replica, signal });
  const verdicts = judgeSoak(samples, [REPLICA_ROLES.host, REPLICA_ROLES.runner]);
  const text = [
    `${machineLine(machine)}; store ${plan.store}, engine ${engine}, load generator in ${generator.kind}`,
    `echo and kv in turn, ${SOAK_CONCURRENCY} in flight`,
    soakText(samples, verdicts),
    ...soakWarnings(samples).map((warning) => `Beware: ${warning}.`),
  ].join("\n\n");
  const charts = new Map([["soak-memory.svg", soakChart(samples)]]);
  const results = asJson({ plan, machine, generator: generator.kind, verdicts, samples });
  const path = await writeResults(new Map([["results.json", results], ["report.md", `${text}\n`], ...charts]));
  if (plan.publishes) await publishCharts(charts);
  console.log(`${text}\n\nEverything measured: ${path}`);
  console.log(soakLine(samples, verdicts));
}

interface SoakSetting {
  readonly servers: Servers;
  readonly generator: Generator;
  readonly replica: RunningReplica;
  /** Aborted: no further requests are sent. */
  readonly signal: AbortSignal;
}

async function soak(total: number, setting: SoakSetting): Promise<SoakSample[]> {
  const { servers, generator, replica, signal } = setting;
  const each = requestsPerSample(total);
  const samples: SoakSample[] = [];
  const start = performance.now();
  for (let sample = 1; sample <= SAMPLES; sample++) {
    const looks: Record<string, number>[] = [];
    for (const requests of partsOf(each)) {
      for (const job of REPLICA_JOBS) {
        signal.throwIfAborted();
        const loop = { subject: subjectOf(job), concurrency: SOAK_CONCURRENCY, requests };
        await generator.run({ server: servers.natsUrl, loop, job: JOBS[job].load });
        looks.push(await memoryOf(await processesOf(replica, servers)));
      }
    }
    const seconds = (performance.now() - start) / 1_000;
    const runners = (await replica.processes()).filter(({ role }) => role === REPLICA_ROLES.runner);
    const rssBytes = rangesOf(looks);
    samples.push({
      requests: sample * each * REPLICA_JOBS.length,
      seconds,
      rssBytes,
      runners: runners.map(({ pid }) => pid),
    });
    report(`${sample}/${SAMPLES}: host ${Math.round((rssBytes[REPLICA_ROLES.host]?.low ?? 0) / MIB)} MiB`);
  }
  return samples;
}

async function processesOf(replica: RunningReplica, { nats, store }: Servers): Promise<WatchedProcess[]> {
  return [...(await replica.processes()), nats, ...(store.kind === "mongodb" ? [store.process] : [])];
}

/** Resident memory by role. */
async function memoryOf(processes: readonly WatchedProcess[]): Promise<Record<string, number>> {
  const rssBytes: Record<string, number> = {};
  for (const { role, pid } of processes) {
    const usage = await usageOf(pid);
    if (usage === undefined) throw new BenchError("a soak needs Linux, and processes that go on");
    rssBytes[role] = (rssBytes[role] ?? 0) + usage.rssBytes;
  }
  return rssBytes;
}
