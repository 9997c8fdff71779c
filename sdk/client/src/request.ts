/**
 * Checks what a caller gives and makes the request of it. What cannot be valid is refused here, before anything is sent: a
 * name with a dot or a wildcard in it would be another subject.
 *
 * @module
 */

import { headers as createHeaders, type MsgHdrs } from "@nats-io/nats-core";
import { type Failure, failureOf } from "./call-error.ts";
import { isMethodShort, isPluginName, problemOfId } from "./names.ts";
import { HEADER, METHOD_MAX_BYTES, PLUGIN_NAME_MAX_LENGTH, SUBJECT_ROOT } from "./protocol.ts";

/** What is sent at each try, but for the time that is left. */
export interface CallRequest {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** What of a call is in its request. */
export interface RequestParts {
  readonly plugin: string;
  readonly method: string;
  readonly id: string;
  readonly payload: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

/** Headers that other arguments stand for. */
const OWN_HEADERS: Readonly<Record<string, string>> = {
  [HEADER.method.toLowerCase()]: "the argument method",
  [HEADER.id.toLowerCase()]: "the option id",
  [HEADER.timeoutMs.toLowerCase()]: "the option timeoutMs",
};

/** A token of RFC 9110, section 5.6.2. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const ENCODER = new TextEncoder();

/** The request, or why there can be none. */
export function createRequest(parts: RequestParts): CallRequest | Failure {
  const problem = problemOf(parts);
  if (problem !== undefined) return failureOf("bad-request", problem);
  const { plugin, method, id, payload, headers } = parts;
  const own: (readonly [string, string])[] = [[HEADER.id, id]];
  if (method !== "") own.push([HEADER.method, method]);
  return { subject: `${SUBJECT_ROOT}.${plugin}`, payload, headers: [...own, ...Object.entries(headers)] };
}

/** The headers of one try. */
export function headersOf({ headers }: CallRequest, leftMs: number): MsgHdrs {
  const head = createHeaders();
  head.set(HEADER.timeoutMs, String(leftMs));
  for (const [name, value] of headers) head.set(name, value);
  return head;
}

/** Bytes of the request that count against the server's `max_payload`. */
export function encodedBytes({ payload }: CallRequest, head: MsgHdrs): number {
  let lines = "NATS/1.0\r\n";
  for (const [name, values] of head) for (const value of values) lines += `${name}: ${value}\r\n`;
  return payload.length + ENCODER.encode(`${lines}\r\n`).length;
}

function problemOf({ plugin, method, id, headers }: RequestParts): string | undefined {
  if (!isPluginName(plugin))
    return `a plugin's name is words of a-z and 0-9 joined by '-', at most ${PLUGIN_NAME_MAX_LENGTH} characters`;
  if (!isMethodShort(method) || !isHeaderValue(method))
    return `a method is one line of at most ${METHOD_MAX_BYTES} bytes without blanks around it`;
  const ofId = problemOfId(id);
  if (ofId !== undefined) return ofId;
  for (const [name, value] of Object.entries(headers)) {
    const instead = OWN_HEADERS[name.toLowerCase()];
    if (instead !== undefined) return `${instead} stands for the header ${name}`;
    if (!HEADER_NAME.test(name)) return "a header's name is ASCII letters, digits and '-'";
    if (!isHeaderValue(value)) return `the value of the header ${name} is no line without blanks around it`;
  }
  return undefined;
}

/** NATS takes blanks around a value away. */
function isHeaderValue(text: string): boolean {
  return !/[\r\n]/.test(text) && text.trim() === text;
}
