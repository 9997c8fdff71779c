/**
 * This project's host, as an operator runs it: one replica with default limits and the default log, written to a file.
 *
 * @module
 */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../scripts/lib/command.ts";
import type { EngineChoice } from "../../src/contract/artifact.ts";
import { freePort } from "../../test/harness/ports.ts";
import { startChild } from "../child-process.ts";
import type { Job } from "../jobs.ts";
import { childrenOf } from "../process-usage.ts";
import type { BenchStore } from "../servers.ts";
import { type Contender, type Preparation, READY, type RunningContender, type Surroundings } from "./contender.ts";

/** A host with one of its engines. */
export interface HostVariant {
  readonly name: string;
  readonly engine: EngineChoice;
  /** Runners for each plugin; the host's own choice if absent. */
  readonly runners?: number;
}

const PLUGIN = "bench";
/** The setting of `serve` that says how many runners a plugin has. */
const RUNNERS_FLAG = "--runners";
const HELP_TIMEOUT_MS = 30_000;

/** Name of the host with an engine. */
export function hostName(engine: EngineChoice): string {
  return `host-${engine}`;
}

/** @param mainPath the host's executable */
export function hostContender(mainPath: string, variant: HostVariant): Contender {
  return {
    name: variant.name,
    // Runners matter where one is busy computing.
    refuses: (job) =>
      variant.runners === undefined || job.work === "compute" ? undefined : "it is compared where plugins compute",
    prepare: () => prepare(mainPath, variant),
    start: (job, surroundings) => startHost(mainPath, variant, job, surroundings),
  };
}

async function prepare(mainPath: string, { runners }: HostVariant): Promise<Preparation> {
  if (runners === undefined) return READY;
  const help = await run(process.execPath, [mainPath, "serve", "--help"], { timeoutMs: HELP_TIMEOUT_MS });
  if (new RegExp(`${RUNNERS_FLAG}\\b`).test(help)) return READY;
  return { kind: "impossible", reason: `\`serve\` of this build has no ${RUNNERS_FLAG}` };
}

async function startHost(
  mainPath: string,
  { name, engine, runners }: HostVariant,
  job: Job,
  { natsUrl, store, components, folder }: Surroundings,
): Promise<RunningContender> {
  const files = await writeConfiguration(name, job, components, folder);
  const healthPort = await freePort();
  const serveFlags = [
    ["--nats", natsUrl],
    storeFlag(store, name),
    ["--engine", engine],
    runners === undefined ? [] : [RUNNERS_FLAG, String(runners)],
    ["--consumer", files.consumer],
    ["--policy", files.policies],
    ["--cache", join(folder, "cache")],
    ["--health-port", String(healthPort)],
  ].flat();
  const child = await startChild({
    name,
    command: process.execPath,
    args: [mainPath, "serve", ...serveFlags],
    folder,
    answers: () => isReady(healthPort),
  });
  return {
    subject: subjectOf(name, job),
    processes: async () => [
      { role: "host", pid: child.pid },
      ...(await childrenOf(child.pid)).map((pid) => ({ role: "runner", pid })),
    ],
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/** Plugins of different variants have different names: they all run at a time. */
function subjectOf(name: string, job: Job): string {
  return job.components.length === 1 ? `rpc.${PLUGIN}-${name}.${job.method}` : `rpc.${PLUGIN}-${name}-*.${job.method}`;
}

function pluginNames(name: string, count: number): string[] {
  return count === 1
    ? [`${PLUGIN}-${name}`]
    : Array.from({ length: count }, (_, plugin) => `${PLUGIN}-${name}-${plugin}`);
}

async function writeConfiguration(
  name: string,
  job: Job,
  components: readonly string[],
  folder: string,
): Promise<{ consumer: string; policies: string }> {
  const consumer = join(folder, "consumer.yaml");
  const policies = join(folder, "policy");
  await mkdir(policies);
  const allow = job.store === "none" ? "[]" : "[key-value-read, key-value-write]";
  const plugins = pluginNames(name, components.length);
  const entries = plugins.map(
    (plugin, index) => `  - name: ${plugin}\n    component: ${JSON.stringify(components[index])}\n`,
  );
  await writeFile(consumer, `group: bench\nplugins:\n${entries.join("")}`);
  for (const plugin of plugins) {
    await writeFile(join(policies, `${plugin}.yaml`), `plugin: ${plugin}\nallow: ${allow}\n`);
  }
  return { consumer, policies };
}

/** Flags of `serve` that name the store. */
export function storeFlag(store: BenchStore, database: string): string[] {
  return store.kind === "mongodb" ? ["--store", store.urlOf(database)] : ["--sqlite", store.pathOf(database)];
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
