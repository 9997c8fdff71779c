/**
 * Sends one request as a client that knows only docs/protocol.md would, and waits for its one reply.
 *
 * @module
 */

import { connect, headers, type Msg, type MsgHdrs, type NatsConnection } from "nats";
import type { PluginName } from "../contract/names.ts";
import { HEADER, requestSubject } from "../contract/protocol.ts";
import { HostError } from "../errors/host-error.ts";
import { type NatsOptions, natsConnectionOptions, natsError } from "../nats/connection.ts";
import { adviceWithoutServer } from "../nats/no-server.ts";
import { acknowledgingStream } from "../nats/stream-acknowledgement.ts";
import { programVersion } from "../version.ts";
import { isNoResponders, nobodyServes, noReply } from "./call-diagnosis.ts";
import { type CallReply, parseReply } from "./call-reply.ts";
import type { WrittenRequest } from "./request-arguments.ts";

/** One request to send. */
export interface CallRequest extends WrittenRequest {
  readonly nats: NatsOptions;
  readonly plugin: PluginName;
}

/** What came back, and how long it took. */
export interface CallResult {
  readonly reply: CallReply;
  /** Streams that answered the request in addition to the plugin. */
  readonly streams: readonly string[];
  readonly connectMs: number;
  readonly roundTripMs: number;
}

/** A replica answers at the deadline; this long after it, the command stops waiting. */
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
    const { message, streams } = await exchange(connection, request);
    const reply = parseReply(message);
    return { reply, streams, connectMs: connectedMs - startedMs, roundTripMs: performance.now() - connectedMs };
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
    const failure = natsError(error, `connecting to ${nats.servers.join(", ")}`);
    const advice = adviceWithoutServer(failure.message, nats.servers);
    if (advice === undefined) throw failure;
    throw new HostError(failure.code, `${failure.message}; ${advice}`, { cause: failure.cause });
  }
}

/** The reply, and who else has answered. */
interface Exchanged {
  readonly message: Msg;
  readonly streams: readonly string[];
}

/** A stream's acknowledgement is not the reply, so the command keeps waiting. */
async function exchange(connection: NatsConnection, request: CallRequest): Promise<Exchanged> {
  const { plugin, payload, timeoutMs } = request;
  const head = requestHeaders(request);
  checkSize(connection, payload, head);
  const maxWait = timeoutMs + REPLY_GRACE_MS;
  const streams: string[] = [];
  try {
    const options = { strategy: "timer", maxWait, headers: head } as const;
    for await (const message of await connection.requestMany(requestSubject(plugin), payload, options)) {
      const stream = acknowledgingStream(message);
      if (stream === undefined) return { message, streams };
      streams.push(stream);
    }
  } catch (thrown) {
    if (isNoResponders(thrown)) throw await nobodyServes(connection, plugin, thrown);
    throw natsError(thrown, `waiting for the reply of ${plugin}`);
  }
  throw await noReply(connection, plugin, maxWait, streams);
}

/** The server counts headers and payload together, and closes the connection if they are too large. */
function checkSize({ info }: NatsConnection, payload: Uint8Array, head: MsgHdrs): void {
  const maxBytes = info?.max_payload ?? Number.POSITIVE_INFINITY;
  const headBytes = encodedBytes(head);
  if (payload.length + headBytes <= maxBytes) return;
  const message = `the request has ${payload.length + headBytes} bytes, ${headBytes} of them headers; the NATS server takes at most ${maxBytes}`;
  throw new HostError("payload-too-large", message);
}

/** Headers as on the wire: the version line, one line per value, an empty line. */
function encodedBytes(head: MsgHdrs): number {
  let bytes = Buffer.byteLength("NATS/1.0\r\n\r\n");
  for (const [name, values] of head) {
    for (const value of values) bytes += Buffer.byteLength(`${name}: ${value}\r\n`);
  }
  return bytes;
}

function requestHeaders({ id, method, timeoutMs, headers: further }: CallRequest): MsgHdrs {
  const head = headers();
  head.set(HEADER.id, id);
  head.set(HEADER.timeoutMs, String(timeoutMs));
  if (method !== "") head.set(HEADER.method, method);
  for (const [name, value] of further) head.append(name, value);
  return head;
}
