/**
 * A run that measures plugins at a fixed rate, quiet and while their components are replaced, in turns.
 *
 * @module
 */

import { figureOf, publish } from "../published/publish.ts";
import { machineLine } from "../setup/machine.ts";
import { setTimeout as delay } from "node:timers/promises";
import { connect, type NatsConnection } from "nats";
import {
  type BasicReplica,
  nameOf,
  REPLICA_JOBS,
  type ReplicaJob,
  startBasicReplica,
  subjectOf,
} from "../replicas/basic-replica.ts";
import { BenchError } from "../bench-error.ts";
import type { Generator } from "../generator/generator.ts";
import { JOBS } from "../jobs/jobs.ts";
import type { LoadFigures } from "../jobs/load-spec.ts";
import type { SwapPlan } from "./command.ts";
import { openRun, setupLine } from "../setup/open-run.ts";
import { report, writeRun } from "../setup/results.ts";
import type { Servers } from "../servers/servers.ts";
import type { Timing } from "../options/timing.ts";
import { type SwapMeasurement, swapLine, swapsOf, swapText, swapWarnings } from "./swap.ts";
import { startSwaps } from "./swapper.ts";

/** A tenth of what two cores can do of each: there is room for a compiler beside it, as an operator would see to. */
const RATES: Readonly<Record<ReplicaJob, number>> = { echo: 1_000, kv: 400 };
/** Requests of a plugin that may be in flight: as many as `kv` has keys. */
const MAX_IN_FLIGHT = 1_000;

/** Measures, prints and writes down everything; the last line is the ratios of p99. */
export async function runSwap(plan: SwapPlan, signal: AbortSignal): Promise<void> {
  await using owned = new AsyncDisposableStack();
  const run = await openRun(plan, owned);
  const { machine, generator, mainPath, folder, servers } = run;
  const { engine } = plan;
  const running = await startBasicReplica({ mainPath, engine, servers, generator, folder, report }, owned);
  const connection = await connect({ servers: servers.natsUrl, name: "bench swap" });
  owned.defer(() => connection.close());
  const measurements = await measureSwaps({ timing: plan, servers, generator, running, connection, signal });
  const cells = swapsOf(measurements);
  const rates = REPLICA_JOBS.map((job) => `${job} ${RATES[job]}/s`).join(", ");
  const text = [
    setupLine(run, plan),
    `${plan.rounds} rounds of ${plan.measureMs} ms quiet and as long with swaps, ${rates}: median (smallest–largest)`,
    swapText(cells),
    ...swapWarnings(cells).map((warning) => `Beware: ${warning}.`),
  ].join("\n\n");
  const path = await writeRun({ plan, machine, generator: generator.kind, cells, measurements }, text);
  if (plan.publishes) {
    const rows = cells.map((cell) => ({
      job: cell.job,
      swaps: cell.swaps,
      failed: cell.errors,
      quietP50Ms: figureOf(cell.quietP50Ms),
      swappedP50Ms: figureOf(cell.swappedP50Ms),
      quietP99Ms: figureOf(cell.quietP99Ms),
      swappedP99Ms: figureOf(cell.swappedP99Ms),
      ratio: figureOf(cell.p99),
    }));
    await publish("swap", { machine: machineLine(machine), rows });
  }
  console.log(`${text}\n\nEverything measured: ${path}`);
  console.log(swapLine(cells));
}

interface SwapSetting {
  readonly timing: Timing;
  readonly servers: Servers;
  readonly generator: Generator;
  readonly running: BasicReplica;
  readonly connection: NatsConnection;
  /** Aborted: no further measurement is begun. */
  readonly signal: AbortSignal;
}

async function measureSwaps(setting: SwapSetting): Promise<SwapMeasurement[]> {
  const { timing, running, connection, signal } = setting;
  const plugins = REPLICA_JOBS.map((job) => ({ name: nameOf(job), component: running.components[job] }));
  await measureJobs(setting, 0, timing.settleMs);
  const measurements: SwapMeasurement[] = [];
  for (let round = 1; round <= timing.rounds; round++) {
    signal.throwIfAborted();
    const quiet = await measureJobs(setting, timing.warmUpMs, timing.measureMs);
    signal.throwIfAborted();
    const swaps = await startSwaps(connection, plugins, `round-${round}`);
    let swapped, swapMs;
    try {
      swapped = await measureJobs(setting, timing.warmUpMs, timing.measureMs);
    } finally {
      swapMs = await swaps.stop();
    }
    if (swapMs.length === 0) throw new BenchError("nothing was replaced in the measured time");
    for (const job of REPLICA_JOBS) {
      measurements.push({ job, round, quiet: quiet[job], swapped: swapped[job], swapMs });
    }
    report(roundLine(measurements.slice(-REPLICA_JOBS.length), timing.rounds));
    // Those that were replaced end their processes: that is not part of the next quiet time.
    await delay(timing.warmUpMs);
  }
  return measurements;
}

/** Measures both plugins at the same time. */
async function measureJobs(
  { servers, generator }: SwapSetting,
  warmUpMs: number,
  measureMs: number,
): Promise<Readonly<Record<ReplicaJob, LoadFigures>>> {
  const count = (job: ReplicaJob): Promise<LoadFigures> => {
    const loop = {
      subject: subjectOf(job),
      concurrency: MAX_IN_FLIGHT,
      ratePerSecond: RATES[job],
      warmUpMs,
      measureMs,
    };
    return generator.count({ server: servers.natsUrl, loop, job: JOBS[job].load });
  };
  const [echo, kv] = await Promise.all([count("echo"), count("kv")]);
  return { echo, kv };
}

function roundLine(measurements: readonly SwapMeasurement[], rounds: number): string {
  const [first] = measurements;
  const figures = measurements.map(
    ({ job, quiet, swapped }) =>
      `${job} p99 ${quiet.latencyMs.p99.toFixed(2)} → ${swapped.latencyMs.p99.toFixed(2)} ms, ${quiet.errors + swapped.errors} failed`,
  );
  return `round ${first?.round}/${rounds}: ${first?.swapMs.length} swaps; ${figures.join("; ")}`;
}
