/**
 * A replica of this project's host as an operator runs it: its files, and `serve` as a process of its own with the
 * default log, written to a file.
 *
 * @module
 */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AccessLevel } from "../../src/contract/access-levels.ts";
import type { EngineChoice } from "../../src/contract/artifact.ts";
import type { PLUGIN_LIMITS } from "../../src/contract/limits.ts";
import { freePort } from "../../src/local-nats/free-port.ts";
import { type RunningChild, startChild } from "../processes/child-process.ts";
import { childrenOf, type WatchedProcess } from "../processes/process-usage.ts";
import type { BenchStore } from "../servers/servers.ts";

/** A plugin and what its policy says. */
export interface ServedPlugin {
  readonly name: string;
  /** Path of its component. */
  readonly component: string;
  readonly allow: readonly AccessLevel[];
  /** What it may reach by HTTP; nothing if absent. */
  readonly hosts?: readonly string[];
  /** Those that are not the default. */
  readonly limits?: Readonly<Partial<Record<keyof typeof PLUGIN_LIMITS, number>>>;
}

/** A consumer file and its folder of policies. */
export interface ReplicaFiles {
  readonly consumer: string;
  readonly policies: string;
}

/** How to start a replica. */
export interface ReplicaPlan {
  /** Names its output file. */
  readonly name: string;
  /** The host's executable. */
  readonly mainPath: string;
  readonly natsUrl: string;
  readonly store: BenchStore;
  /** Where in the store its values are. */
  readonly database: string;
  readonly engine: EngineChoice;
  readonly files: ReplicaFiles;
  /** Compiled plugins. Replicas may share it. */
  readonly cache: string;
  /** Where its output goes. */
  readonly folder: string;
  /** Further flags of `serve`. */
  readonly flags?: readonly string[];
}

/** A replica that takes requests. Disposing of it ends it. */
export interface RunningReplica extends RunningChild {
  /** The host and its plugins' processes as they are now. */
  processes(): Promise<readonly WatchedProcess[]>;
}

/** The roles of a replica's processes. */
export const REPLICA_ROLES = { host: "host", runner: "runner" } as const;

/**
 * Writes the files of a group. They have a folder of their own in `folder`: the host watches it, and a log or a store beside
 * them would stir it all the time.
 */
export async function writeReplicaFiles(
  group: string,
  plugins: readonly ServedPlugin[],
  folder: string,
): Promise<ReplicaFiles> {
  const own = join(folder, "configuration");
  const files = { consumer: join(own, "consumer.yaml"), policies: join(own, "policy") };
  await mkdir(files.policies, { recursive: true });
  const entries = plugins.map(
    ({ name, component }) => `  - name: ${name}\n    component: ${JSON.stringify(component)}\n`,
  );
  await writeFile(files.consumer, `group: ${group}\nplugins:\n${entries.join("")}`);
  for (const plugin of plugins) await writeFile(join(files.policies, `${plugin.name}.yaml`), policyOf(plugin));
  return files;
}

/** Starts a replica; settles when it takes requests. */
export async function startReplica(plan: ReplicaPlan): Promise<RunningReplica> {
  const { name, mainPath, natsUrl, store, database, engine, files, cache, folder } = plan;
  const healthPort = await freePort();
  const flags = [
    ["--nats", natsUrl],
    store.kind === "mongodb" ? ["--store", store.urlOf(database)] : ["--sqlite", store.pathOf(database)],
    ["--engine", engine],
    ["--consumer", files.consumer],
    ["--policy", files.policies],
    ["--cache", cache],
    ["--health-port", String(healthPort)],
  ];
  const child = await startChild({
    name,
    command: process.execPath,
    args: [mainPath, "serve", ...flags.flat(), ...(plan.flags ?? [])],
    folder,
    answers: () => isReady(healthPort),
  });
  return {
    pid: child.pid,
    processes: async () => [
      { role: REPLICA_ROLES.host, pid: child.pid },
      ...(await childrenOf(child.pid)).map((pid) => ({ role: REPLICA_ROLES.runner, pid })),
    ],
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/** YAML has JSON in it. */
function policyOf({ name, allow, hosts, limits }: ServedPlugin): string {
  return [
    `plugin: ${name}`,
    `allow: ${JSON.stringify(allow)}`,
    ...(hosts === undefined ? [] : [`hosts: ${JSON.stringify(hosts)}`]),
    ...(limits === undefined ? [] : [`limits: ${JSON.stringify(limits)}`]),
    "",
  ].join("\n");
}

async function isReady(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    // It does not listen yet.
    return false;
  }
}
