/**
 * This project's host, as an operator runs it: one replica with default limits and the default log, written to a file.
 *
 * @module
 */

import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { EngineChoice } from "../../src/contract/artifact.ts";
import type { Job } from "../jobs/jobs.ts";
import { startReplica, writeReplicaFiles } from "../replicas/replica.ts";
import { type Contender, type Preparation, READY, type RunningContender, type Surroundings } from "./contender.ts";

/** A host with one of its engines. */
export interface HostVariant {
  readonly name: string;
  readonly engine: EngineChoice;
  /** The limit `runners` of its plugins; the host's own if absent. */
  readonly runners?: number;
}

const PLUGIN = "bench";

/** Name of the host with an engine. */
export function hostName(engine: EngineChoice): string {
  return `host-${engine}`;
}

/** What another build of the host is called. */
export const OTHER_BUILD = "other-build";

/** Another build of the host, as it is measured beside this one. @param mainPath its executable */
export function otherBuild(mainPath: string, engine: EngineChoice): Contender {
  return hostContender(mainPath, { name: OTHER_BUILD, engine });
}

/** @param mainPath the host's executable */
export function hostContender(mainPath: string, variant: HostVariant): Contender {
  return {
    name: variant.name,
    // Runners matter where one is busy computing.
    refuses: (job) =>
      variant.runners === undefined || job.work === "compute" ? undefined : "it is compared where plugins compute",
    prepare: async () => prepare(variant, availableParallelism()),
    start: (job, surroundings) => startHost(mainPath, variant, job, surroundings),
  };
}

/** A plugin never has more runners than there are processors. */
function prepare({ runners = 1 }: HostVariant, processors: number): Preparation {
  if (runners <= processors) return READY;
  return { kind: "impossible", reason: `this machine has ${processors} processors` };
}

async function startHost(
  mainPath: string,
  { name, engine, runners }: HostVariant,
  job: Job,
  { natsUrl, store, components, folder }: Surroundings,
): Promise<RunningContender> {
  const names = pluginNames(name, components.length);
  const plugins = components.map((component, index) => ({
    name: names[index] ?? PLUGIN,
    component,
    allow: job.store === "none" ? [] : (["key-value-read", "key-value-write"] as const),
    ...(runners !== undefined && { limits: { runners } }),
  }));
  const replica = await startReplica({
    name,
    mainPath,
    natsUrl,
    store,
    database: name,
    engine,
    files: await writeReplicaFiles("bench", plugins, folder),
    cache: join(folder, "cache"),
    folder,
  });
  return {
    subject: subjectOf(name, job),
    processes: () => replica.processes(),
    [Symbol.asyncDispose]: () => replica[Symbol.asyncDispose](),
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
