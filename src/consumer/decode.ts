/**
 * Decodes a NATS message into a request of the protocol (docs/protocol.md). The message is untrusted: a malformed one
 * is refused with a sentence that says what was expected. Pure.
 *
 * Headers are read from the message's bytes, in one pass. The client's own parser (`message.headers`) is never used on
 * untrusted messages: for an invalid name it throws inside the client's reader, which ends the connection, and its time
 * grows with the square of the number of headers.
 *
 * @see https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-4.md
 * @module
 */

import type { Msg } from "nats";
import { FIXED_LIMITS } from "../contract/limits.ts";
import type { RpcRequest } from "../contract/request.ts";
import { HEADER, METHOD_MAX_BYTES, REQUEST_ID_MAX_BYTES, SUBJECT_ROOT, WRPC_PROTOCOL } from "../contract/protocol.ts";

/** A request, and what its sender asked for besides. */
export interface DecodedRequest {
  readonly kind: "request";
  readonly request: RpcRequest;
  /** How many milliseconds the caller still waits, where it says so. 0 means that the time is over. */
  readonly timeoutMs: number | undefined;
  /** The trace id of a W3C `traceparent`, for the log. */
  readonly traceId: string | undefined;
}

export type Decoded =
  | DecodedRequest
  /**
   * Answer it with `bad-request`; `problem` is safe to show. `id` is absent where the headers or the id were not valid.
   */
  | { readonly kind: "malformed"; readonly id: string | undefined; readonly problem: string };

/** Printable ASCII: safe in a header, in a log line and on a terminal. */
const VISIBLE_ASCII = /^[\x21-\x7e]+$/;
const DECIMAL = /^\d{1,10}$/;
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/;
/**
 * Tokens between dots, none of them a wildcard. Far slower than a loop over the characters, which decides nearly every
 * case.
 */
const SUBJECT = /^[^\s*>.]+(?:\.[^\s*>.]+)*$/;
const UNICODE_REPLACEMENT = "\ufffd";

/** `subject` is the message's; `newId` makes an id for a request without one. */
export function decodeRequest(message: Pick<Msg, "data">, subject: string, newId: () => string): Decoded {
  const reading = readHeaders(message);
  if (reading.kind === "problem") return malformed(undefined, reading.problem);
  const { id: givenId, method: givenMethod, timeoutMs: timeout, traceparent } = reading.headers;
  if (givenId !== undefined && !isRequestId(givenId)) {
    return malformed(undefined, `${HEADER.id} must be 1 to ${REQUEST_ID_MAX_BYTES} visible ASCII characters`);
  }
  const id = givenId ?? newId();

  const method = readMethod(subject, givenMethod);
  if (method.kind === "problem") return malformed(id, method.problem);

  if (timeout !== undefined && !DECIMAL.test(timeout)) {
    return malformed(id, `${HEADER.timeoutMs} must be a whole number of milliseconds, 0 to 9999999999`);
  }

  return {
    kind: "request",
    request: { id, method: method.method, payload: message.data },
    timeoutMs: timeout === undefined ? undefined : Number(timeout),
    traceId: traceparent === undefined ? undefined : TRACEPARENT.exec(traceparent)?.[1],
  };
}

/** May this be a request's id? */
export function isRequestId(text: string): boolean {
  return VISIBLE_ASCII.test(text) && text.length <= REQUEST_ID_MAX_BYTES;
}

function malformed(id: string | undefined, problem: string): Decoded {
  return { kind: "malformed", id, problem };
}

/** `problem` is safe to show. */
interface Problem {
  readonly kind: "problem";
  readonly problem: string;
}

/** The headers of a request that the host reads. */
type RequestHeader = "id" | "method" | "timeoutMs" | "traceparent";

/** The first value of each of these headers that is present. */
interface Headers {
  readonly kind: "headers";
  readonly headers: Readonly<Partial<Record<RequestHeader, string>>>;
}

/** How the client keeps a message: `_rdata` begins with `hdr` bytes of headers; `hdr` is -1 where there are none. */
interface RawMessage {
  readonly _msg: { readonly hdr: number };
  readonly _rdata: Uint8Array;
}

const READ: readonly RequestHeader[] = ["id", "method", "timeoutMs", "traceparent"];
const KEYS: ReadonlyMap<string, RequestHeader> = new Map(READ.map((key) => [HEADER[key].toLowerCase(), key]));

/** Printable ASCII without the colon (ADR-4, after RFC 822). */
const HEADER_NAME = /^[\x21-\x39\x3b-\x7e]+$/;

const NO_HEADERS: Headers = { kind: "headers", headers: {} };

/** Reads the headers of a message, whatever the case of their names. */
function readHeaders(message: Pick<Msg, "data">): Headers | Problem {
  const { _msg, _rdata } = message as unknown as RawMessage;
  if (_msg.hdr <= 0) return NO_HEADERS;
  if (_msg.hdr > FIXED_LIMITS.headerBytes) {
    return problem(`the headers have ${_msg.hdr} bytes, at most ${FIXED_LIMITS.headerBytes} are allowed`);
  }
  const [, ...lines] = Buffer.from(_rdata.buffer, _rdata.byteOffset, _msg.hdr).toString("utf8").split("\r\n");
  const headers: Partial<Record<RequestHeader, string>> = {};
  for (const line of lines) {
    if (line === "") continue;
    const colon = line.indexOf(":");
    const name = line.slice(0, colon);
    if (colon < 0 || !HEADER_NAME.test(name))
      return problem("a header must be a name of visible ASCII, a colon and a value");
    const key = KEYS.get(name.toLowerCase());
    if (key !== undefined) headers[key] ??= line.slice(colon + 1).trim();
  }
  return { kind: "headers", headers };
}

interface Method {
  readonly kind: "method";
  readonly method: string;
}

/** `rpc.<plugin>` takes the method from the header, `rpc.<plugin>.<method>` from the subject. */
function readMethod(subject: string, header: string | undefined): Method | Problem {
  const token = thirdToken(subject);
  if (token !== undefined && header !== undefined && token !== header) {
    return problem(`${HEADER.method} and the subject's last token name different methods; send one of them`);
  }
  const method = token ?? header ?? "";
  if (method === "") return NO_METHOD;
  // UTF-8 takes three bytes at most for a UTF-16 unit.
  if (method.length * 3 > METHOD_MAX_BYTES && Buffer.byteLength(method) > METHOD_MAX_BYTES)
    return problem(`a method has at most ${METHOD_MAX_BYTES} bytes`);
  // Bytes that are not UTF-8 arrive as replacement characters, so the name that was meant is lost.
  if (method.includes(UNICODE_REPLACEMENT)) return problem(`the method's name is not UTF-8`);
  return { kind: "method", method };
}

const NO_METHOD: Method = { kind: "method", method: "" };

/** The text between the second dot and the third, or the end. */
function thirdToken(subject: string): string | undefined {
  const first = subject.indexOf(".");
  const second = first === -1 ? -1 : subject.indexOf(".", first + 1);
  if (second === -1) return undefined;
  const third = subject.indexOf(".", second + 1);
  return third === -1 ? subject.slice(second + 1) : subject.slice(second + 1, third);
}

function problem(text: string): Problem {
  return { kind: "problem", problem: text };
}

/**
 * May a reply be published on this subject? The sender chooses it, so it must not make the host call a plugin, with the reply for
 * a request, or reach the server's own services, and it must not be a pattern.
 */
export function isSafeReplySubject(subject: string): boolean {
  if (subject.startsWith("$") || subject === SUBJECT_ROOT || subject.startsWith(`${SUBJECT_ROOT}.`)) return false;
  // An invocation of some plugin, with whatever prefix its group has.
  if (subject.includes(WRPC_INVOCATION)) return false;
  let before = DOT;
  for (let at = 0; at < subject.length; at += 1) {
    const code = subject.charCodeAt(at);
    // The regular expression knows which characters beyond ASCII are blank.
    if (code < FIRST_VISIBLE || code > LAST_VISIBLE) return SUBJECT.test(subject);
    if (code === STAR || code === GREATER || (code === DOT && before === DOT)) return false;
    before = code;
  }
  return before !== DOT;
}

const WRPC_INVOCATION = `.${WRPC_PROTOCOL}.`;
const DOT = 0x2e;
const STAR = 0x2a;
const GREATER = 0x3e;
const FIRST_VISIBLE = 0x21;
const LAST_VISIBLE = 0x7e;
