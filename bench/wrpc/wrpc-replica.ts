/**
 * A replica whose one plugin is served over wRPC, on both transports.
 *
 * @module
 */

import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../../src/local-nats/free-port.ts";
import { type RunningReplica, startReplica, writeReplicaFiles } from "../replicas/replica.ts";
import type { Servers } from "../servers/servers.ts";
import type { Transport } from "./peer.ts";

export interface WrpcReplicaPlan {
  readonly mainPath: string;
  readonly servers: Servers;
  /** Path of the plugin's component. */
  readonly component: string;
  readonly folder: string;
}

export interface WrpcReplica extends RunningReplica {
  /** Where the plugin is: `host:port` over TCP, a prefix over NATS. */
  readonly addresses: Readonly<Record<Transport, string>>;
}

const PLUGIN = "bench-wrpc";
const PREFIX = "host";

/** Starts it; settles when it takes requests. */
export async function startWrpcReplica(plan: WrpcReplicaPlan): Promise<WrpcReplica> {
  const { mainPath, servers, component, folder } = plan;
  const port = await freePort();
  const files = await writeReplicaFiles("bench", [{ name: PLUGIN, component, allow: [] }], folder);
  const listen = `127.0.0.1:${port}`;
  const wrpc = { tcp: { plugins: [{ name: PLUGIN, listen }] }, nats: { prefix: PREFIX, plugins: [PLUGIN] } };
  await appendFile(files.consumer, `wrpc: ${JSON.stringify(wrpc)}\n`);
  const replica = await startReplica({
    name: "network-host",
    mainPath,
    natsUrl: servers.natsUrl,
    store: servers.store,
    database: "host",
    engine: "auto",
    files,
    cache: join(folder, "cache"),
    folder,
  });
  return { ...replica, addresses: { tcp: listen, nats: `${PREFIX}.${PLUGIN}` } };
}
