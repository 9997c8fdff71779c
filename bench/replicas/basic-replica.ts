/**
 * One replica with the plugins of the basic jobs, which runs that are about the host itself send their requests to.
 *
 * @module
 */

import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { EngineChoice } from "../../src/contract/artifact.ts";
import { obtainComponent } from "../jobs/components.ts";
import type { Generator } from "../generator/generator.ts";
import { FILL_CONCURRENCY, JOBS } from "../jobs/jobs.ts";
import { type RunningReplica, startReplica, writeReplicaFiles } from "./replica.ts";
import type { Servers } from "../servers/servers.ts";

/** The jobs, a plugin for each. */
export const REPLICA_JOBS = ["echo", "kv"] as const;

export type ReplicaJob = (typeof REPLICA_JOBS)[number];

/** What the replica is made with. */
export interface BasicReplicaPlan {
  readonly mainPath: string;
  readonly engine: EngineChoice;
  readonly servers: Servers;
  readonly generator: Generator;
  /** For its files and output. */
  readonly folder: string;
  readonly report: (line: string) => void;
}

/** The replica, and its components' files, which are its own. */
export interface BasicReplica {
  readonly replica: RunningReplica;
  readonly components: Readonly<Record<ReplicaJob, string>>;
}

/** Starts it and fills its keys; whoever owns the stack ends it. */
export async function startBasicReplica(plan: BasicReplicaPlan, owned: AsyncDisposableStack): Promise<BasicReplica> {
  const { mainPath, engine, servers, generator, folder, report } = plan;
  const wasm = join(folder, "components");
  await mkdir(wasm);
  const components = { echo: join(wasm, "echo.wasm"), kv: join(wasm, "kv.wasm") };
  await copyFile(await obtainComponent("echo", report), components.echo);
  await copyFile(await obtainComponent("key-value", report), components.kv);
  const plugins = [
    { name: nameOf("echo"), component: components.echo, allow: [] },
    { name: nameOf("kv"), component: components.kv, allow: ["key-value-read", "key-value-write"] as const },
  ];
  const replica = await startReplica({
    name: "network-host",
    mainPath,
    natsUrl: servers.natsUrl,
    store: servers.store,
    database: "host",
    engine,
    files: await writeReplicaFiles("bench", plugins, folder),
    cache: join(folder, "cache"),
    folder,
  });
  owned.use(replica);
  const { load } = JOBS.kv;
  if (load.kind === "kv") {
    const loop = { subject: subjectOf("kv"), concurrency: FILL_CONCURRENCY, requests: load.keys };
    await generator.run({ server: servers.natsUrl, loop, job: { ...load, filling: true } });
  }
  return { replica, components };
}

/** Name of the plugin that does a job. */
export function nameOf(job: ReplicaJob): string {
  return `bench-${job}`;
}

/** Where a job's requests go. */
export function subjectOf(job: ReplicaJob): string {
  return `rpc.${nameOf(job)}.${JOBS[job].method}`;
}
