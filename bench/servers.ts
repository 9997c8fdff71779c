/**
 * The real servers behind every contender, as processes of this run: NATS, and MongoDB as a replica set of one.
 *
 * @module
 */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { obtainServer } from "../scripts/servers/binaries.ts";
import { natsAnswers } from "../scripts/servers/nats-probe.ts";
import { freePort } from "../test/harness/ports.ts";
import { mongodArgs, mongodIsPrimary } from "../test/harness/readiness.ts";
import { startChild } from "./child-process.ts";
import type { StoreKind } from "./plan.ts";
import type { WatchedProcess } from "./process-usage.ts";

/** The store that contenders use, each with data of its own. */
export type BenchStore =
  | { readonly kind: "mongodb"; urlOf(database: string): string }
  | { readonly kind: "sqlite"; pathOf(database: string): string };

/** Running servers. */
export interface Servers {
  readonly natsUrl: string;
  readonly store: BenchStore;
  readonly processes: readonly WatchedProcess[];
}

const HOST = "127.0.0.1";
const ROLE = { nats: "nats-server", mongodb: "mongod" } as const;

/** Is this a process that all contenders share? */
export function isServerRole(role: string): boolean {
  return role === ROLE.nats || role === ROLE.mongodb;
}

/** Starts the servers in a folder; whoever owns the stack ends them. */
export async function startServers(
  kind: StoreKind,
  folder: string,
  owned: AsyncDisposableStack,
  report: (line: string) => void,
): Promise<Servers> {
  const nats = await startNats(folder, owned, report);
  if (kind === "sqlite") {
    return {
      natsUrl: nats.url,
      store: { kind, pathOf: (database) => join(folder, `${database}.sqlite`) },
      processes: [nats.process],
    };
  }
  const mongod = await startMongod(folder, owned, report);
  return {
    natsUrl: nats.url,
    store: {
      kind,
      urlOf: (database) => `mongodb://${mongod.address}/${database}?replicaSet=rs0&directConnection=true`,
    },
    processes: [nats.process, mongod.process],
  };
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

async function startMongod(folder: string, owned: AsyncDisposableStack, report: (line: string) => void) {
  const port = await freePort();
  const data = join(folder, "mongod-data");
  await mkdir(data);
  const address = `${HOST}:${port}`;
  const child = await startChild({
    name: ROLE.mongodb,
    command: await obtainServer("mongod", report),
    args: [...mongodArgs({ port, folder: data }), "--replSet", "rs0"],
    folder,
    answers: () => mongodIsPrimary({ host: HOST, port }, address),
  });
  owned.use(child);
  return { address, process: { role: ROLE.mongodb, pid: child.pid } };
}
