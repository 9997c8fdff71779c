/**
 * This project's host, as an operator runs it: one replica with default limits and the default log, written to a file.
 *
 * @module
 */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "../../scripts/lib/project.ts";
import { freePort } from "../../test/harness/ports.ts";
import { startChild } from "../child-process.ts";
import type { Job } from "../jobs.ts";
import { childrenOf } from "../process-usage.ts";
import type { BenchStore } from "../servers.ts";
import type { Contender, RunningContender, Surroundings } from "./contender.ts";

export const HOST_NAME = "network-host";

const PLUGIN = "bench";

/** @param mainPath the host's executable */
export function hostContender(mainPath: string): Contender {
  return {
    name: HOST_NAME,
    start: (job, surroundings) => startHost(mainPath, job, surroundings),
  };
}

async function startHost(
  mainPath: string,
  job: Job,
  { natsUrl, store, folder }: Surroundings,
): Promise<RunningContender> {
  const files = await writeConfiguration(job, folder);
  const healthPort = await freePort();
  const serveFlags = [
    ["--nats", natsUrl],
    storeFlag(store),
    ["--consumer", files.consumer],
    ["--policy", files.policies],
    ["--cache", join(folder, "cache")],
    ["--health-port", String(healthPort)],
  ].flat();
  const child = await startChild({
    name: HOST_NAME,
    command: process.execPath,
    args: [mainPath, "serve", ...serveFlags],
    folder,
    answers: () => isReady(healthPort),
  });
  return {
    subject: `rpc.${PLUGIN}.${job.method}`,
    processes: async () => [
      { role: "host", pid: child.pid },
      ...(await childrenOf(child.pid)).map((pid) => ({ role: "runner", pid })),
    ],
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

async function writeConfiguration(job: Job, folder: string): Promise<{ consumer: string; policies: string }> {
  const consumer = join(folder, "consumer.yaml");
  const policies = join(folder, "policy");
  await mkdir(policies);
  const component = JSON.stringify(join(ROOT, job.component));
  await writeFile(consumer, `group: bench\nplugins:\n  - name: ${PLUGIN}\n    component: ${component}\n`);
  const allow = job.usesStore ? "[key-value-read, key-value-write]" : "[]";
  await writeFile(join(policies, `${PLUGIN}.yaml`), `plugin: ${PLUGIN}\nallow: ${allow}\n`);
  return { consumer, policies };
}

/** Flags of `serve` that name the store. */
export function storeFlag(store: BenchStore): string[] {
  return store.kind === "mongodb" ? ["--store", store.urlOf("host")] : ["--sqlite", store.pathOf("host")];
}

/** Does the host on whose health port this is take requests? */
export async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  } catch {
    // It does not listen yet.
    return false;
  }
}
