/**
 * Sends one request as a client that knows only docs/protocol.md would, and waits for its one reply.
 *
 * @module
 */

import { connect, headers, type Msg, type MsgHdrs, type NatsConnection, errors } from "nats";
import type { PluginName } from "../contract/names.ts";
import { HEADER, requestSubject } from "../contract/protocol.ts";
import { HostError } from "../errors/host-error.ts";
import { type NatsOptions, natsConnectionOptions, natsError } from "../nats/connection.ts";
import { programVersion } from "../version.ts";
import { type CallReply, parseReply } from "./call-reply.ts";

/** One request to send. */
export interface CallRequest {
  readonly nats: NatsOptions;
  readonly plugin: PluginName;
  /** Empty for none. */
  readonly method: string;
  readonly payload: Uint8Array;
  readonly id: string;
  /** The budget that the replica is told. */
  readonly timeoutMs: number;
  /** Further headers. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** What came back, and how long it took. */
export interface CallResult {
  readonly reply: CallReply;
  readonly connectMs: number;
  readonly roundTripMs: number;
}

/** A replica answers at the deadline; this long after it the reply is given up. */
const REPLY_GRACE_MS = 1_000;
const MAX_CONNECT_MS = 5_000;

/**
 * Connects, sends, waits, disconnects. Throws `nats-unavailable`, `no-responders`, `payload-too-large`,
 * `usage-invalid`, and `deadline-exceeded` where no reply came at all.
 */
export async function sendCall(request: CallRequest): Promise<CallResult> {
  const startedMs = performance.now();
  const connection = await open(request);
  try {
    const connectedMs = performance.now();
    const reply = parseReply(await exchange(connection, request));
    return { reply, connectMs: connectedMs - startedMs, roundTripMs: performance.now() - connectedMs };
  } finally {
    await connection.close();
  }
}

async function open({ nats, timeoutMs }: CallRequest): Promise<NatsConnection> {
  const options = natsConnectionOptions(nats);
  try {
    return await connect({
      ...options,
      name: `network-host call ${programVersion()}`,
      reconnect: false,
      timeout: Math.min(timeoutMs, MAX_CONNECT_MS),
    });
  } catch (error) {
    throw natsError(error, `connecting to ${nats.servers.join(", ")}`);
  }
}

async function exchange(connection: NatsConnection, request: CallRequest): Promise<Msg> {
  const { plugin, payload, timeoutMs } = request;
  const maxBytes = connection.info?.max_payload ?? Number.POSITIVE_INFINITY;
  if (payload.length > maxBytes) {
    const message = `the payload has ${payload.length} bytes, the NATS server takes at most ${maxBytes}`;
    throw new HostError("payload-too-large", message);
  }
  const timeout = timeoutMs + REPLY_GRACE_MS;
  try {
    return await connection.request(requestSubject(plugin), payload, { timeout, headers: requestHeaders(request) });
  } catch (error) {
    throw requestError(error, request);
  }
}

function requestHeaders({ id, method, timeoutMs, headers: further }: CallRequest): MsgHdrs {
  const head = headers();
  head.set(HEADER.id, id);
  head.set(HEADER.timeoutMs, String(timeoutMs));
  if (method !== "") head.set(HEADER.method, method);
  for (const [name, value] of further) head.append(name, value);
  return head;
}

function requestError(thrown: unknown, { plugin, timeoutMs }: CallRequest): HostError {
  if (thrown instanceof errors.RequestError && thrown.isNoResponders()) {
    const advice = `nobody serves ${requestSubject(plugin)}: check the plugin's name, and that "network-host serve" runs with a consumer file that lists it on the same NATS server and account`;
    return new HostError("no-responders", advice, { cause: thrown });
  }
  if (thrown instanceof errors.TimeoutError) {
    const message = `no reply within ${timeoutMs + REPLY_GRACE_MS} ms, though a replica took the request: it may have ended, and the work may have been done`;
    return new HostError("deadline-exceeded", message, { cause: thrown });
  }
  return natsError(thrown, `waiting for the reply of ${plugin}`);
}
