/**
 * Opens the replica's connection to NATS. It tries the first connection for ever, since a server may start later than a
 * replica. After that, the client reconnects by itself, for ever, and restores the subscriptions.
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { connect, type NatsConnection, type NodeConnectionOptions } from "nats";
import type { HostError } from "../errors/host-error.ts";
import { natsConnectionOptions, type NatsOptions, natsError } from "./connection.ts";

export interface ReplicaConnectionOptions {
  readonly nats: NatsOptions;
  /** Shown by the server's monitoring. */
  readonly name: string;
  /** How often to ping the server. The client gives up a server that has not answered after three times that. */
  readonly pingIntervalMs: number;
  /** Ends the tries to connect. */
  readonly signal: AbortSignal;
  /** A try failed; the next one is after `delayMs`. */
  readonly failed: (error: HostError, delayMs: number) => void;
  /** See `natsConnectionOptions`. */
  readonly warned: (error: HostError) => void;
}

const CONNECT_TIMEOUT_MS = 5_000;
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 5_000;
const RECONNECT_WAIT_MS = 250;
/** Unanswered pings that the client tolerates: when the third is due, it ends the connection. */
const MAX_PINGS_OUT = 2;

/**
 * Connects; resolves with `undefined` when `signal` aborts first. Throws `usage-invalid` where credentials or
 * files cannot be used at the start; every other failure is reported to `failed` and tried again.
 */
export async function connectReplica(options: ReplicaConnectionOptions): Promise<NatsConnection | undefined> {
  const { signal } = options;
  const settings = natsConnectionOptions(options.nats, options.warned);
  for (let delayMs = FIRST_DELAY_MS; !signal.aborted; delayMs = Math.min(MAX_DELAY_MS, delayMs * 2)) {
    try {
      return await unlessAborted(connect(clientOptions(settings, options)), signal);
    } catch (error) {
      options.failed(natsError(error, "connecting"), delayMs);
      await delay(delayMs, undefined, { signal }).catch(() => undefined);
    }
  }
  return undefined;
}

function clientOptions(settings: NodeConnectionOptions, options: ReplicaConnectionOptions): NodeConnectionOptions {
  return {
    ...settings,
    name: options.name,
    timeout: CONNECT_TIMEOUT_MS,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_WAIT_MS,
    // A server that is being reconfigured may refuse credentials for a moment.
    ignoreAuthErrorAbort: true,
    pingInterval: options.pingIntervalMs,
    maxPingOut: MAX_PINGS_OUT,
  };
}

/** The connection, unless `signal` comes first: then the connection is closed once it is open, without waiting. */
async function unlessAborted(
  connecting: Promise<NatsConnection>,
  signal: AbortSignal,
): Promise<NatsConnection | undefined> {
  const aborted = Promise.withResolvers<undefined>();
  const abort = (): void => aborted.resolve(undefined);
  signal.addEventListener("abort", abort, { once: true });
  try {
    const connection = await Promise.race([connecting, aborted.promise]);
    if (connection !== undefined && !signal.aborted) return connection;
    connecting.then((late) => late.close()).catch(() => undefined);
    return undefined;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
