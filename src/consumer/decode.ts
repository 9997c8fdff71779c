/**
 * Decodes a NATS message into a request of the protocol (docs/protocol.md). Everything in it comes from a
 * stranger: what is malformed is refused with a sentence that says what was expected. Pure.
 *
 * @module
 */

import type { Msg } from "nats";
import type { RpcRequest } from "../contract/request.ts";
import { HEADER, METHOD_MAX_BYTES, REQUEST_ID_MAX_BYTES, SUBJECT_ROOT } from "../contract/protocol.ts";
import { readRequestHeaders } from "./request-headers.ts";

/** A request as it came in, and what its sender asked for besides. */
export interface DecodedRequest {
  readonly kind: "request";
  readonly request: RpcRequest;
  /** The caller's remaining budget in milliseconds, where it named one. 0 means it is used up. */
  readonly timeoutMs: number | undefined;
  /** The trace's id of a W3C `traceparent`, for the log. */
  readonly traceId: string | undefined;
}

/** What became of a message. */
export type Decoded =
  | DecodedRequest
  /** Answer it with `bad-request`; `problem` is safe to show. `id` is there where at least that could be read. */
  | { readonly kind: "malformed"; readonly id: string | undefined; readonly problem: string };

/** Printable ASCII: safe in a header, in a log line and on a terminal. */
const VISIBLE_ASCII = /^[\x21-\x7e]+$/;
const DECIMAL = /^\d{1,10}$/;
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/;
const UNICODE_REPLACEMENT = "\ufffd";

/** `newId` makes an id for requests that bring none. */
export function decodeRequest(message: Msg, newId: () => string): Decoded {
  const reading = readRequestHeaders(message);
  if (reading.kind === "malformed") return malformed(undefined, reading.problem);
  const { id: givenId, method: givenMethod, timeoutMs: timeout, traceparent = "" } = reading.headers;
  if (givenId !== undefined && !(VISIBLE_ASCII.test(givenId) && givenId.length <= REQUEST_ID_MAX_BYTES)) {
    return malformed(undefined, `${HEADER.id} must be 1 to ${REQUEST_ID_MAX_BYTES} visible ASCII characters`);
  }
  const id = givenId ?? newId();

  const method = readMethod(message.subject, givenMethod);
  if (method.kind === "problem") return malformed(id, method.problem);

  if (timeout !== undefined && !DECIMAL.test(timeout)) {
    return malformed(id, `${HEADER.timeoutMs} must be a whole number of milliseconds, 0 to 9999999999`);
  }

  return {
    kind: "request",
    request: { id, method: method.method, payload: message.data },
    timeoutMs: timeout === undefined ? undefined : Number(timeout),
    traceId: TRACEPARENT.exec(traceparent)?.[1],
  };
}

function malformed(id: string | undefined, problem: string): Decoded {
  return { kind: "malformed", id, problem };
}

type Method =
  | { readonly kind: "method"; readonly method: string }
  | { readonly kind: "problem"; readonly problem: string };

/** `rpc.<plugin>` takes the method from the header, `rpc.<plugin>.<method>` from the subject. */
function readMethod(subject: string, header: string | undefined): Method {
  const token = subject.split(".", 3)[2];
  if (token !== undefined && header !== undefined && token !== header) {
    return problem(`${HEADER.method} and the subject's last token name different methods; send one of them`);
  }
  const method = token ?? header ?? "";
  if (Buffer.byteLength(method) > METHOD_MAX_BYTES) return problem(`a method has at most ${METHOD_MAX_BYTES} bytes`);
  // Bytes that are no UTF-8 arrive as replacement characters: what was meant is lost.
  if (method.includes(UNICODE_REPLACEMENT)) return problem(`the method's name is not UTF-8`);
  return { kind: "method", method };
}

function problem(text: string): Method {
  return { kind: "problem", problem: text };
}

/**
 * May a reply be published there? A reply subject is the sender's choice, so it must not make the host call
 * itself, reach the server's own services, or be a pattern.
 */
export function isSafeReplySubject(subject: string): boolean {
  if (subject.startsWith("$") || subject === SUBJECT_ROOT || subject.startsWith(`${SUBJECT_ROOT}.`)) return false;
  return /^[^\s*>.]+(?:\.[^\s*>.]+)*$/.test(subject);
}
