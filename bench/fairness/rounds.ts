/**
 * The measurements: one replica for each attack, on which the good plugins are measured quiet and under attack, in
 * turns, both at a fixed rate and at the same time.
 *
 * @module
 */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connect, type NatsConnection } from "nats";
import { until } from "../../scripts/lib/until.ts";
import { BenchError } from "../bench-error.ts";
import type { Generator } from "../generator/generator.ts";
import type { EngineChoice } from "../../src/contract/artifact.ts";
import { FILL_CONCURRENCY, JOBS } from "../jobs/jobs.ts";
import type { LoadFigures } from "../jobs/load-spec.ts";
import { childrenOf, usageOf } from "../processes/process-usage.ts";
import type { Servers } from "../servers/servers.ts";
import { startAttack } from "./attack-load.ts";
import { type Attack, type AttackName, ATTACKS } from "./attacks.ts";
import { type FairnessMeasurement, GOOD_JOBS, type GoodJob } from "./fairness.ts";
import { goodSubject, hostileSubject, startAttackedReplica } from "./replica.ts";
import { openSink } from "./sink.ts";

/** How long and how often, and what. */
export interface FairnessTiming {
  readonly attacks: readonly AttackName[];
  readonly engine: EngineChoice;
  readonly rounds: number;
  readonly settleMs: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** What the rounds are made with. */
export interface FairnessSetting {
  readonly timing: FairnessTiming;
  readonly mainPath: string;
  readonly servers: Servers;
  readonly generator: Generator;
  readonly folder: string;
  readonly report: (line: string) => void;
  /** Aborted: no further measurement is begun. */
  readonly signal: AbortSignal;
}

/** Of each good plugin. Its neighbour's attack and the plugin's own load have to fit in the machine together. */
export const RATE_PER_SECOND = 100;

/** Requests of a good plugin that may be in flight: a pause of five seconds. */
const MAX_IN_FLIGHT = 500;

/** The time that a circuit may stay open at most, and some. */
const ARM_TIMEOUT_MS = 60_000;

/** Runs all rounds of all attacks. */
export async function measureFairness(setting: FairnessSetting): Promise<FairnessMeasurement[]> {
  await using owned = new AsyncDisposableStack();
  const sink = await openSink();
  owned.use(sink);
  const connection = await connect({ servers: setting.servers.natsUrl, name: "bench attack" });
  owned.defer(() => connection.close());
  const measurements: FairnessMeasurement[] = [];
  for (const name of setting.timing.attacks) {
    measurements.push(...(await measureAttack(ATTACKS[name], sink.authority, connection, setting)));
  }
  return measurements;
}

async function measureAttack(
  attack: Attack,
  sink: string,
  connection: NatsConnection,
  setting: FairnessSetting,
): Promise<FairnessMeasurement[]> {
  const { timing, mainPath, servers, report, signal } = setting;
  signal.throwIfAborted();
  const folder = join(setting.folder, attack.name);
  await mkdir(folder);
  const cache = join(setting.folder, "cache");
  await using replica = await startAttackedReplica({
    mainPath,
    engine: timing.engine,
    attack,
    servers,
    folder,
    cache,
    sink,
    report,
  });
  await fill(setting);
  await prepare(attack, connection, signal);
  await measureGood(setting, 0, timing.settleMs);
  const measurements: FairnessMeasurement[] = [];
  for (let round = 1; round <= timing.rounds; round++) {
    signal.throwIfAborted();
    const quiet = await measureGood(setting, timing.warmUpMs, timing.measureMs);
    await arm(connection, signal);
    const usage = await watch(replica.pid);
    const running = startAttack(connection, {
      subject: hostileSubject(attack.method),
      payload: attack.payload(sink),
      concurrency: attack.concurrency,
      ...(attack.timeoutMs !== undefined && { timeoutMs: attack.timeoutMs }),
    });
    const attacked = await measureGood(setting, timing.warmUpMs, timing.measureMs);
    const hostCores = await usage();
    const replies = await running.stop();
    for (const job of GOOD_JOBS) {
      measurements.push({
        attack: attack.name,
        job,
        round,
        quiet: quiet[job],
        attacked: attacked[job],
        replies,
        hostCores,
      });
    }
    report(roundLine(measurements.slice(-GOOD_JOBS.length), timing.rounds));
    // What the attack has left to do is not part of the next quiet time.
    await arm(connection, signal);
    await delay(timing.warmUpMs);
  }
  return measurements;
}

async function fill({ servers, generator }: FairnessSetting): Promise<void> {
  const { load } = JOBS.kv;
  if (load.kind !== "kv") return;
  await generator.run({
    server: servers.natsUrl,
    loop: { subject: goodSubject("kv"), concurrency: FILL_CONCURRENCY, requests: load.keys },
    job: { ...load, filling: true },
  });
}

async function prepare({ preparation }: Attack, connection: NatsConnection, signal: AbortSignal): Promise<void> {
  if (preparation === undefined) return;
  await arm(connection, signal);
  const reply = await connection.request(hostileSubject(preparation.method), preparation.payload, {
    timeout: ARM_TIMEOUT_MS,
  });
  const error = reply.headers?.get("Rpc-Error") || undefined;
  if (error !== undefined) throw new BenchError(`the attack cannot be prepared: ${error}`);
}

/** Measures all good plugins at the same time. */
async function measureGood(
  { servers, generator }: FairnessSetting,
  warmUpMs: number,
  measureMs: number,
): Promise<Readonly<Record<GoodJob, LoadFigures>>> {
  const runs = GOOD_JOBS.map(async (job) => {
    const loop = {
      subject: goodSubject(job),
      concurrency: MAX_IN_FLIGHT,
      ratePerSecond: RATE_PER_SECOND,
      warmUpMs,
      measureMs,
    };
    return [job, await generator.count({ server: servers.natsUrl, loop, job: JOBS[job].load })] as const;
  });
  return Object.fromEntries(await Promise.all(runs)) as Record<GoodJob, LoadFigures>;
}

/** Waits until the hostile plugin answers: else nothing would be measured beside it. */
async function arm(connection: NatsConnection, signal: AbortSignal): Promise<void> {
  await until(
    async () => {
      const reply = await connection.request(hostileSubject("echo"), "", { timeout: ARM_TIMEOUT_MS });
      return reply.headers?.get("Rpc-Status") === "200";
    },
    { what: "the hostile plugin answers", timeoutMs: ARM_TIMEOUT_MS, intervalMs: 100, signal },
  );
}

/** Cores that the host and its runners use from now on; 0 where the system does not tell. */
async function watch(host: number): Promise<() => Promise<FairnessMeasurement["hostCores"]>> {
  const read = async () => {
    const usages = await Promise.all((await childrenOf(host)).map(usageOf));
    const runners = usages.reduce((sum, usage) => sum + (usage?.cpuSeconds ?? 0), 0);
    return { host: (await usageOf(host))?.cpuSeconds ?? 0, runners };
  };
  const start = performance.now();
  const before = await read();
  return async () => {
    const after = await read();
    const seconds = (performance.now() - start) / 1_000;
    return {
      host: (after.host - before.host) / seconds,
      // A runner that was ended took what it had used with it.
      runners: Math.max(0, after.runners - before.runners) / seconds,
    };
  };
}

function roundLine(measurements: readonly FairnessMeasurement[], rounds: number): string {
  const [first] = measurements;
  const figures = measurements.map(
    ({ job, quiet, attacked }) =>
      `${job} p50 ${ms(quiet.latencyMs.p50)} → ${ms(attacked.latencyMs.p50)}, p99 ${ms(quiet.latencyMs.p99)} → ${ms(attacked.latencyMs.p99)} ms`,
  );
  const { host = 0, runners = 0 } = first?.hostCores ?? {};
  return `${first?.attack} round ${first?.round}/${rounds}: ${figures.join("; ")} (cores: host ${host.toFixed(2)}, runners ${runners.toFixed(2)}; ${JSON.stringify(first?.replies)})`;
}

function ms(value: number): string {
  return value.toFixed(2);
}
