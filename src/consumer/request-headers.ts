/**
 * Reads a message's headers from its bytes, in one pass. The client's own reading (`message.headers`) is never used
 * on what strangers send: it throws for an invalid name, which ends the connection from within its reader, and
 * its time grows with the square of the number of headers. Pure.
 *
 * @see https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-4.md
 * @module
 */

import type { Msg } from "nats";
import { FIXED_LIMITS } from "../contract/limits.ts";
import { HEADER } from "../contract/protocol.ts";

/** A header that a request may have and the host reads. */
export type RequestHeader = "id" | "method" | "timeoutMs" | "traceparent";

/** The first value of each header that is there. */
export type RequestHeaders = Readonly<Partial<Record<RequestHeader, string>>>;

export type HeaderReading =
  | { readonly kind: "headers"; readonly headers: RequestHeaders }
  /** `problem` is safe to show. */
  | { readonly kind: "malformed"; readonly problem: string };

/** How the client keeps a message: the payload behind so many bytes of headers; -1 where there are none. */
interface RawMessage {
  readonly _msg: { readonly hdr: number };
  readonly _rdata: Uint8Array;
}

const READ: readonly RequestHeader[] = ["id", "method", "timeoutMs", "traceparent"];
const KEYS: ReadonlyMap<string, RequestHeader> = new Map(READ.map((key) => [HEADER[key].toLowerCase(), key]));

/** Printable ASCII without the colon (ADR-4, after RFC 822). */
const NAME = /^[\x21-\x39\x3b-\x7e]+$/;

const NONE: HeaderReading = { kind: "headers", headers: {} };

/** Reads the headers of a message, whatever the case of their names. */
export function readRequestHeaders(message: Msg): HeaderReading {
  const { _msg, _rdata } = message as unknown as RawMessage;
  if (_msg.hdr <= 0) return NONE;
  if (_msg.hdr > FIXED_LIMITS.headerBytes) {
    return malformed(`the headers have ${_msg.hdr} bytes, at most ${FIXED_LIMITS.headerBytes} are allowed`);
  }
  const [, ...lines] = Buffer.from(_rdata.buffer, _rdata.byteOffset, _msg.hdr).toString("utf8").split("\r\n");
  const headers: Partial<Record<RequestHeader, string>> = {};
  for (const line of lines) {
    if (line === "") continue;
    const colon = line.indexOf(":");
    const name = line.slice(0, colon);
    if (colon < 0 || !NAME.test(name))
      return malformed("a header must be a name of visible ASCII, a colon and a value");
    const key = KEYS.get(name.toLowerCase());
    if (key !== undefined) headers[key] ??= line.slice(colon + 1).trim();
  }
  return { kind: "headers", headers };
}

function malformed(problem: string): HeaderReading {
  return { kind: "malformed", problem };
}
