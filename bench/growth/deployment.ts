/**
 * What runs for a point of a curve: a replica of its own, or several, so that no point has to do with what another one
 * has left behind.
 *
 * @module
 */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { EngineChoice } from "../../src/contract/artifact.ts";
import { obtainComponent } from "../jobs/components.ts";
import { pluginName, writeComponents, writeFleet } from "../replicas/fleet-files.ts";
import { type Job, JOBS } from "../jobs/jobs.ts";
import type { JobSpec } from "../jobs/load-spec.ts";
import type { WatchedProcess } from "../processes/process-usage.ts";
import {
  type ReplicaFiles,
  type RunningReplica,
  type ServedPlugin,
  startReplica,
  writeReplicaFiles,
} from "../replicas/replica.ts";
import type { Servers } from "../servers/servers.ts";
import { CURVES } from "./curves.ts";
import type { Place } from "./growth.ts";
import { writeMemoryPlugin } from "./memory-plugin.ts";

/** What deployments are made with. */
export interface DeploymentSetting {
  readonly mainPath: string;
  readonly engine: EngineChoice;
  readonly servers: Servers;
  readonly folder: string;
  readonly report: (line: string) => void;
}

/** Replicas that take the requests of a point. */
export interface Deployment {
  readonly place: Place;
  readonly subject: string;
  readonly load: JobSpec;
  readonly concurrency: number;
  /** How many share the requests. */
  readonly replicas: number;
  processes(): Promise<readonly WatchedProcess[]>;
}

/** A fleet's plugins take turns with so many components: each is compiled once. */
const FLEET_COMPONENTS = 5;
/** A plugin takes fewer by default than the curve has at its end. */
const PLUGIN_CONCURRENCY = 1_024;
/** A point's replicas wait for their turn longer than an idle plugin keeps its process. */
const IDLE_MS = 3_600_000;

/** Starts what a point needs; whoever owns the stack ends it. */
export async function deploy(
  place: Place,
  setting: DeploymentSetting,
  owned: AsyncDisposableStack,
): Promise<Deployment> {
  const { mainPath, engine, servers } = setting;
  const { curve, x } = place;
  const job = JOBS[place.job];
  const name = `${curve}-${place.job}-${x}`;
  const folder = join(setting.folder, name);
  await mkdir(folder);
  const { files, plugin } = await writeFiles(place, name, folder, setting);
  const count = curve === "replicas" ? x : 1;
  const replicas: RunningReplica[] = [];
  for (let replica = 0; replica < count; replica++) {
    const own = { name: `replica-${replica}`, mainPath, natsUrl: servers.natsUrl, store: servers.store, engine, files };
    const running = await startReplica({ ...own, database: name, cache: join(setting.folder, "cache"), folder });
    replicas.push(owned.use(running));
  }
  return {
    place,
    subject: `rpc.${plugin}.${job.method}`,
    load: curve === "payload" ? { kind: "echo", bytes: x } : job.load,
    concurrency: CURVES[curve].inFlight(x),
    replicas: count,
    processes: async () => (await Promise.all(replicas.map((replica) => replica.processes()))).flat(),
  };
}

/** @returns the replica's files, and the name of the plugin that is sent requests. */
async function writeFiles(
  { curve, job, x }: Place,
  name: string,
  folder: string,
  setting: DeploymentSetting,
): Promise<{ files: ReplicaFiles; plugin: string }> {
  if (curve === "plugins") {
    const paths = await writeComponents(await componentOf(JOBS[job], setting), FLEET_COMPONENTS, join(folder, "wasm"));
    // The last one: the first may have been started ahead.
    return { files: await writeFleet(x, paths, folder, name), plugin: pluginName(x - 1, name) };
  }
  const plugin: ServedPlugin = {
    name,
    component: curve === "memory" ? await writeMemoryPlugin(x, folder) : await componentOf(JOBS[job], setting),
    allow: JOBS[job].store === "none" ? [] : ["key-value-read", "key-value-write"],
    limits: { idleMs: IDLE_MS, ...(curve === "concurrency" && { concurrency: PLUGIN_CONCURRENCY }) },
  };
  return { files: await writeReplicaFiles("growth", [plugin], folder), plugin: name };
}

async function componentOf({ name, components }: Job, { report }: DeploymentSetting): Promise<string> {
  const [component] = components;
  if (component === undefined) throw new RangeError(`${name} has no plugin`);
  return await obtainComponent(component, report);
}
