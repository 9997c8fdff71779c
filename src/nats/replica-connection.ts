/**
 * The replica's connection to NATS. The first connection is tried for ever, since a server may start later
 * than a replica; after that the client reconnects by itself, for ever, and restores the subscriptions.
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { connect, type NatsConnection } from "nats";
import type { HostError } from "../errors/host-error.ts";
import { natsConnectionOptions, type NatsOptions, natsError } from "./connection.ts";

export interface ReplicaConnectionOptions {
  readonly nats: NatsOptions;
  /** Shown by the server's monitoring. */
  readonly name: string;
  /** Ends the tries to connect. */
  readonly signal: AbortSignal;
  /** A try failed; the next one is after `delayMs`. */
  readonly failed: (error: HostError, delayMs: number) => void;
}

const CONNECT_TIMEOUT_MS = 5_000;
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 5_000;
const RECONNECT_WAIT_MS = 250;
const PING_INTERVAL_MS = 20_000;

/**
 * Connects; resolves with `undefined` when `signal` aborts first. Throws `usage-invalid` where the credentials
 * file cannot be read; every other failure is reported to `failed` and tried again.
 */
export async function connectReplica(options: ReplicaConnectionOptions): Promise<NatsConnection | undefined> {
  const { signal } = options;
  for (let delayMs = FIRST_DELAY_MS; !signal.aborted; delayMs = Math.min(MAX_DELAY_MS, delayMs * 2)) {
    const settings = await natsConnectionOptions(options.nats);
    try {
      const connection = await connect({
        ...settings,
        name: options.name,
        timeout: CONNECT_TIMEOUT_MS,
        maxReconnectAttempts: -1,
        reconnectTimeWait: RECONNECT_WAIT_MS,
        // A server that is being reconfigured may refuse credentials for a moment.
        ignoreAuthErrorAbort: true,
        pingInterval: PING_INTERVAL_MS,
      });
      if (!signal.aborted) return connection;
      await connection.close();
    } catch (error) {
      options.failed(natsError(error, "connecting"), delayMs);
      await delay(delayMs, undefined, { signal }).catch(() => undefined);
    }
  }
  return undefined;
}
