/**
 * A run over many requests, echo and key-value in turn, that looks at the memory of every process.
 *
 * @module
 */

import { publish, short } from "../published/publish.ts";
import { machineLine } from "../setup/machine.ts";
import { REPLICA_JOBS, startBasicReplica, subjectOf } from "../replicas/basic-replica.ts";
import { BenchError } from "../bench-error.ts";
import type { Generator } from "../generator/generator.ts";
import { JOBS } from "../jobs/jobs.ts";
import type { SoakPlan } from "./command.ts";
import { openRun, setupLine } from "../setup/open-run.ts";
import { usageOf, type WatchedProcess } from "../processes/process-usage.ts";
import { REPLICA_ROLES, type RunningReplica } from "../replicas/replica.ts";
import { publishCharts, report, writeRun } from "../setup/results.ts";
import type { Servers } from "../servers/servers.ts";
import { judgeSoak, partsOf, rangesOf, requestsPerSample, SAMPLES, SOAK_CONCURRENCY, type SoakSample } from "./soak.ts";
import { soakChart, soakLine, soakText, soakWarnings } from "./soak-report.ts";

const MIB = 2 ** 20;

/** Measures, prints and writes down everything; the last line says whether memory is flat. */
export async function runSoak(plan: SoakPlan, signal: AbortSignal): Promise<void> {
  await using owned = new AsyncDisposableStack();
  const run = await openRun(plan, owned);
  const { machine, generator, mainPath, folder, servers } = run;
  const { engine } = plan;
  const { replica } = await startBasicReplica({ mainPath, engine, servers, generator, folder, report }, owned);
  const samples = await soak(plan.requests, { servers, generator, replica, signal });
  const verdicts = judgeSoak(samples, [REPLICA_ROLES.host, REPLICA_ROLES.runner]);
  const text = [
    setupLine(run, plan),
    `echo and kv in turn, ${SOAK_CONCURRENCY} in flight`,
    soakText(samples, verdicts),
    ...soakWarnings(samples).map((warning) => `Beware: ${warning}.`),
  ].join("\n\n");
  const charts = new Map([["soak-memory.svg", soakChart(samples)]]);
  const path = await writeRun({ plan, machine, generator: generator.kind, verdicts, samples }, text, charts);
  if (plan.publishes) {
    await publishCharts(charts);
    const { requests = 0, seconds = 0 } = samples.at(-1) ?? {};
    const roles = verdicts.map(({ role, earlyBytes, lateBytes, bytesPerRequest, isFlat }) => ({
      role,
      earlyMib: short(earlyBytes / MIB),
      lateMib: short(lateBytes / MIB),
      bytesPerRequest: short(bytesPerRequest),
      isFlat,
    }));
    await publish("soak", { machine: machineLine(machine), requests, seconds: short(seconds), roles });
  }
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
