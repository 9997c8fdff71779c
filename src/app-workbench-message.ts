/**
 * A request as if NATS had delivered it, and the reply to it, for a plugin that runs without NATS. Requests have the form
 * that the consumer decodes, byte for byte, so it refuses the same ones.
 *
 * @module
 */

import { headers, type Msg, type MsgHdrs } from "nats";
import type { PluginName } from "./contract/names.ts";
import { HEADER, requestSubject } from "./contract/protocol.ts";
import type { OutgoingReply, ReplyPort } from "./nats/reply-sender.ts";

/** A request, as a caller sends it. */
export interface LocalRequest {
  /** Absent or empty for none. */
  readonly method?: string | undefined;
  readonly payload: Uint8Array;
  /** Absent, the host makes one. */
  readonly id?: string | undefined;
  /** How long the caller waits. Absent, the plugin's limit alone counts. */
  readonly timeoutMs?: number | undefined;
  /** Further headers. */
  readonly headers?: readonly (readonly [name: string, value: string])[] | undefined;
}

/** A reply as its caller receives it; docs/protocol.md says what the headers mean. */
export interface LocalReply {
  readonly data: Uint8Array;
  readonly headers: MsgHdrs;
}

/** Hands each reply to whoever sent the request. Replies may have any size: there is no server to refuse one. */
export class LocalReplies implements ReplyPort {
  readonly #waiting = new Map<string, (reply: LocalReply) => void>();
  #requests = 0;

  /** A reply subject of its own for a request, and the reply to come. */
  expect(): { readonly subject: string; readonly reply: Promise<LocalReply> } {
    this.#requests += 1;
    const subject = `_INBOX.workbench.${this.#requests}`;
    const { promise, resolve } = Promise.withResolvers<LocalReply>();
    this.#waiting.set(subject, resolve);
    return { subject, reply: promise };
  }

  send(reply: OutgoingReply): void {
    const { data, headers: encoded } = reply.encode(Number.POSITIVE_INFINITY);
    const deliver = this.#waiting.get(reply.subject);
    this.#waiting.delete(reply.subject);
    // First, so that the record of the request is in the log before its caller goes on.
    reply.settled({ kind: "sent" });
    deliver?.({ data, headers: decodeHeaders(encoded) });
  }
}

/** The message of a request to `plugin` that is answered on `reply`. */
export function encodeMessage(plugin: PluginName, request: LocalRequest, reply: string): Msg {
  const head = encodeHeaders(request);
  const bytes = Buffer.concat([head, request.payload]);
  const message = {
    subject: requestSubject(plugin),
    sid: 0,
    reply,
    data: bytes.subarray(head.length),
    // The consumer reads headers here, as the client keeps them; -1 is its word for none.
    _msg: { hdr: head.length === 0 ? -1 : head.length },
    _rdata: bytes,
  };
  return message as Partial<Msg> as Msg;
}

function encodeHeaders({ method = "", id, timeoutMs, headers: further = [] }: LocalRequest): Uint8Array {
  const lines = [
    ...(id === undefined ? [] : [[HEADER.id, id] as const]),
    ...(timeoutMs === undefined ? [] : [[HEADER.timeoutMs, String(timeoutMs)] as const]),
    ...(method === "" ? [] : [[HEADER.method, method] as const]),
    ...further,
  ].map(([name, value]) => `${name}: ${value}\r\n`);
  return lines.length === 0 ? new Uint8Array(0) : Buffer.from(`NATS/1.0\r\n${lines.join("")}\r\n`);
}

/** The host encoded them itself: a line each, all of it printable ASCII. */
function decodeHeaders(encoded: Uint8Array): MsgHdrs {
  const decoded = headers();
  const [, ...lines] = Buffer.from(encoded).toString("latin1").split("\r\n");
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon > 0) decoded.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return decoded;
}
