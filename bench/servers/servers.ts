/**
 * The real servers behind every contender, as processes of this run: NATS, and MongoDB as a replica set of one or
 * alone.
 *
 * @module
 */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { obtainServer } from "../../scripts/servers/binaries.ts";
import { natsAnswers } from "../../src/local-nats/nats-probe.ts";
import { freePort } from "../../src/local-nats/free-port.ts";
import { mongodAnswers, mongodArgs, mongodIsPrimary } from "../../scripts/servers/mongod-probe.ts";
import { startChild } from "../processes/child-process.ts";
import type { Job } from "../jobs/jobs.ts";
import type { WatchedProcess } from "../processes/process-usage.ts";

/** Where values are kept. `mongodb` is a replica set of one. */
export const STORE_KINDS = ["mongodb", "mongodb-standalone", "sqlite"] as const;

export type StoreKind = (typeof STORE_KINDS)[number];

/** A store that contenders use, each with data of its own. */
export type BenchStore =
  | { readonly kind: "mongodb"; readonly process: WatchedProcess; urlOf(database: string): string }
  | { readonly kind: "sqlite"; pathOf(database: string): string };

/** Running servers. */
export interface Servers {
  readonly natsUrl: string;
  readonly nats: WatchedProcess;
  /** The one that the run is about. */
  readonly store: BenchStore;
  /** MongoDB without a replica set, where a job needs it. */
  readonly standalone: BenchStore | undefined;
}

/** What to start. */
export interface ServersPlan {
  readonly store: StoreKind;
  readonly jobs: readonly Job[];
  readonly folder: string;
}

const HOST = "127.0.0.1";
const ROLE = { nats: "nats-server", mongodb: "mongod" } as const;

/** Is this a process that all contenders share? */
export function isServerRole(role: string): boolean {
  return role === ROLE.nats || role === ROLE.mongodb;
}

/** Starts the servers in a folder; whoever owns the stack ends them. */
export async function startServers(
  { store, jobs, folder }: ServersPlan,
  owned: AsyncDisposableStack,
  report: (line: string) => void,
): Promise<Servers> {
  const nats = await startNats(folder, owned, report);
  const start = (kind: "mongodb" | "mongodb-standalone") => startMongod(kind, folder, owned, report);
  const chosen: BenchStore =
    store === "sqlite"
      ? { kind: "sqlite", pathOf: (database) => join(folder, `${database}.sqlite`) }
      : await start(store);
  let standalone = store === "mongodb-standalone" ? chosen : undefined;
  if (jobs.some((job) => job.store === "standalone")) standalone ??= await start("mongodb-standalone");
  return { natsUrl: nats.url, nats: nats.process, store: chosen, standalone };
}

/** The store of a job, and the servers that work for it. */
export function storeOf(
  job: Job,
  { nats, store, standalone }: Servers,
): { store: BenchStore; processes: readonly WatchedProcess[] } {
  const own = job.store === "standalone" && standalone !== undefined ? standalone : store;
  const usesMongod = job.store !== "none" && own.kind === "mongodb";
  return { store: own, processes: usesMongod ? [nats, own.process] : [nats] };
}

async function startNats(folder: string, owned: AsyncDisposableStack, report: (line: string) => void) {
  const port = await freePort();
  const child = await startChild({
    name: ROLE.nats,
    command: await obtainServer("nats-server", report),
    args: ["--addr", HOST, "--port", String(port)],
    folder,
    answers: () => natsAnswers({ host: HOST, port }),
  });
  owned.use(child);
  return { url: `nats://${HOST}:${port}`, process: { role: ROLE.nats, pid: child.pid } };
}

async function startMongod(
  kind: "mongodb" | "mongodb-standalone",
  folder: string,
  owned: AsyncDisposableStack,
  report: (line: string) => void,
): Promise<BenchStore> {
  const port = await freePort();
  const data = join(folder, `${kind}-data`);
  await mkdir(data);
  const address = `${HOST}:${port}`;
  const isReplicaSet = kind === "mongodb";
  const child = await startChild({
    name: kind,
    command: await obtainServer("mongod", report),
    args: [...mongodArgs({ port, folder: data }), ...(isReplicaSet ? ["--replSet", "rs0"] : [])],
    folder,
    answers: () =>
      isReplicaSet ? mongodIsPrimary({ host: HOST, port }, address) : mongodAnswers({ host: HOST, port }),
  });
  owned.use(child);
  const options = isReplicaSet ? "replicaSet=rs0&directConnection=true" : "directConnection=true";
  return {
    kind: "mongodb",
    process: { role: ROLE.mongodb, pid: child.pid },
    urlOf: (database) => `mongodb://${address}/${database}?${options}`,
  };
}
