/**
 * What is measured of one replica with many plugins.
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { connect, type NatsConnection } from "nats";
import { BenchError } from "../bench-error.ts";
import { childrenOf, usageOf } from "../processes/process-usage.ts";
import { median } from "../figures/statistics.ts";
import { pluginName } from "../replicas/fleet-files.ts";

/** One row of the report. Times in milliseconds. */
export interface FleetRow {
  readonly plugins: number;
  /** From the host's start until it takes requests, less what Node takes to do nothing. */
  readonly readyMs: number;
  readonly hostMib: number;
  /** Processes beside the host while nobody has asked for anything. */
  readonly idleProcesses: number;
  /** Share of one processor that the idle host takes. */
  readonly idleCpu: number;
  readonly firstRequestMs: number;
  readonly warmMs: number;
  readonly runnerMib: number;
}

const MIB = 1024 * 1024;
const IDLE_MS = 5_000;
const COLD_PLUGINS = 7;
const WARM_REQUESTS = 500;
const TIMEOUT_MS = 10_000;

/** Measures a replica that has just become ready. */
export async function measureReplica(
  pid: number,
  natsUrl: string,
  plugins: number,
  readyMs: number,
): Promise<FleetRow> {
  const connection = await connect({ servers: natsUrl });
  try {
    const idleProcesses = (await childrenOf(pid)).length;
    const before = await usage(pid);
    await delay(IDLE_MS);
    const after = await usage(pid);
    // From the last on: the first may have been started ahead.
    const asked = Array.from({ length: Math.min(COLD_PLUGINS, plugins) }, (_, index) => plugins - 1 - index);
    const first = await timesOf(
      connection,
      asked.map((index) => pluginName(index)),
    );
    const [name = ""] = asked.map((index) => pluginName(index));
    const warm = await timesOf(
      connection,
      Array.from({ length: WARM_REQUESTS }, () => name),
    );
    const runners = await Promise.all((await childrenOf(pid)).map(usage));
    return {
      plugins,
      readyMs,
      hostMib: after.rssBytes / MIB,
      idleProcesses,
      idleCpu: ((after.cpuSeconds - before.cpuSeconds) * 1_000) / IDLE_MS,
      firstRequestMs: median(first),
      warmMs: median(warm),
      runnerMib: median(runners.map(({ rssBytes }) => rssBytes / MIB)),
    };
  } finally {
    await connection.close();
  }
}

/** One request after the other. */
async function timesOf(connection: NatsConnection, plugins: readonly string[]): Promise<number[]> {
  const times: number[] = [];
  for (const plugin of plugins) {
    const startMs = performance.now();
    const reply = await connection.request(`rpc.${plugin}`, plugin, { timeout: TIMEOUT_MS });
    times.push(performance.now() - startMs);
    if (reply.string() !== plugin) throw new BenchError(`${plugin} answered ${reply.headers?.get("Rpc-Error")}`);
  }
  return times;
}

async function usage(pid: number) {
  const found = await usageOf(pid);
  if (found === undefined) throw new BenchError("this benchmark needs Linux, and processes that go on");
  return found;
}
