/**
 * Replaces components again and again, each time by the same one with other bytes, and waits until the new bytes serve:
 * the plugin's own description names their digest.
 *
 * @module
 */

import { readFile, rename, writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { NatsConnection } from "nats";
import { digestOf } from "../../src/contract/digest.ts";
import { until } from "../../scripts/lib/until.ts";
import { marked } from "../replicas/fleet-files.ts";

/** A plugin whose component is replaced. */
export interface SwappedPlugin {
  readonly name: string;
  /** The file that the replica watches. */
  readonly component: string;
}

/** Replacements in progress. */
export interface RunningSwaps {
  /** Waits for the one in flight and ends. @returns how long each took until the new component served. */
  stop(): Promise<readonly number[]>;
}

/** Between two replacements. */
const PAUSE_MS = 500;
const SWAP_TIMEOUT_MS = 30_000;
const LOOK_MS = 50;

/** Begins to replace the plugins' components in turn. */
export async function startSwaps(
  connection: NatsConnection,
  plugins: readonly SwappedPlugin[],
  name: string,
): Promise<RunningSwaps> {
  const sources = await Promise.all(plugins.map(({ component }) => readFile(component)));
  const stopping = new AbortController();
  const swapMs: number[] = [];
  const work = async (): Promise<void> => {
    for (let turn = 0; !stopping.signal.aborted; turn++) {
      const plugin = plugins[turn % plugins.length];
      const source = sources[turn % plugins.length];
      if (plugin === undefined || source === undefined) return;
      swapMs.push(await swap(connection, plugin, marked(source, `${name}-${turn}`)));
      // Told to stop, it does not wait.
      await delay(PAUSE_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
    // The next swaps begin with what these began with.
    for (const [index, plugin] of plugins.entries()) {
      const source = sources[index];
      if (source !== undefined) await swap(connection, plugin, source);
    }
  };
  const working = work();
  // It is awaited when it is stopped, which may be after it has failed.
  working.catch(() => undefined);
  return {
    async stop() {
      stopping.abort();
      await working;
      return swapMs;
    },
  };
}

async function swap(connection: NatsConnection, { name, component }: SwappedPlugin, bytes: Buffer): Promise<number> {
  const digest = digestOf(bytes);
  // Whole or not at all, and not in a folder that is watched.
  const scratch = `${component.slice(0, component.lastIndexOf("/"))}.scratch`;
  await writeFile(scratch, bytes);
  const start = performance.now();
  await rename(scratch, component);
  await until(async () => (await servedDigest(connection, name)) === digest, {
    what: `${name} is replaced`,
    timeoutMs: SWAP_TIMEOUT_MS,
    intervalMs: LOOK_MS,
  });
  return performance.now() - start;
}

async function servedDigest(connection: NatsConnection, plugin: string): Promise<string | undefined> {
  const reply = await connection.request(`$SRV.INFO.${plugin}`, "", { timeout: SWAP_TIMEOUT_MS });
  return (JSON.parse(reply.string()) as { metadata?: { digest?: string } }).metadata?.digest;
}
