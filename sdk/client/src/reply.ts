/**
 * Reads replies as the protocol describes them, and guesses nothing: what is neither an answer nor an error of the protocol
 * becomes the error `bad-reply`.
 *
 * @module
 */

import { Match, type Msg, type MsgHdrs } from "@nats-io/nats-core";
import { type Failure, failureOf, mayHaveRun } from "./call-error.ts";
import { ERROR_CODES, isErrorCode } from "./error-codes.ts";
import { printable } from "./printable.ts";
import { HEADER, MAX_STATUS } from "./protocol.ts";

/** What the plugin answered. A status of 400 or more is its own answer too, and no failure of the call. */
export interface Reply {
  /** 0 to 65535. What statuses mean is between the plugin and its callers. */
  readonly status: number;
  readonly body: Uint8Array;
  /** The request's id. */
  readonly id: string;
  /** How often the request was sent. */
  readonly tries: number;
  /** The body as UTF-8; bytes that are none become U+FFFD. */
  text(): string;
  /** The body's JSON. @throws SyntaxError where it is none. */
  json(): unknown;
}

/** What one try of a call came to. */
export type Outcome =
  | { readonly kind: "answered"; readonly status: number; readonly body: Uint8Array }
  | { readonly kind: "failed"; readonly failure: Failure };

/** No acknowledgement of a stream is longer. */
const MAX_ACKNOWLEDGEMENT_BYTES = 4_096;

export function parseReply(message: Pick<Msg, "data" | "headers">): Outcome {
  const { data, headers } = message;
  const code = header(headers, HEADER.error);
  if (code !== undefined) return { kind: "failed", failure: parseFailure(code, headers, data) };
  const status = decimal(header(headers, HEADER.status));
  if (status !== undefined && status <= MAX_STATUS) return { kind: "answered", status, body: data };
  return { kind: "failed", failure: failureOf("bad-reply", whatItIs(message)) };
}

export function createReply({ status, body }: Outcome & { kind: "answered" }, id: string, tries: number): Reply {
  const text = (): string => new TextDecoder().decode(body);
  return { status, body, id, tries, text, json: () => JSON.parse(text()) as unknown };
}

function parseFailure(code: string, headers: MsgHdrs | undefined, body: Uint8Array): Failure {
  const summary = isErrorCode(code) ? ERROR_CODES[code].summary : "no text given";
  return {
    code: printable(code),
    text: printable(header(headers, HEADER.serviceError) ?? summary),
    isRetryable: header(headers, HEADER.retryable)?.toLowerCase() === "true",
    mayHaveRun: mayHaveRun(code),
    retryAfterMs: decimal(header(headers, HEADER.retryAfterMs)),
    body,
  };
}

/** What may have answered instead of a replica. */
function whatItIs({ data, headers }: Pick<Msg, "data" | "headers">): string {
  const stream = headers === undefined ? acknowledgingStream(data) : undefined;
  if (stream !== undefined)
    return `the JetStream stream ${JSON.stringify(stream)} takes the subject and has acknowledged the request before the plugin answered: take the subject out of the stream, or create it with no_ack`;
  const error = header(headers, HEADER.serviceError);
  if (error !== undefined) return `another service answers on the subject, with the error ${printable(error)}`;
  return `the reply has no valid ${HEADER.status} header, so something else answers on the subject`;
}

function acknowledgingStream(data: Uint8Array): string | undefined {
  if (data.length > MAX_ACKNOWLEDGEMENT_BYTES) return undefined;
  try {
    const value = JSON.parse(new TextDecoder().decode(data)) as unknown;
    const { stream, seq } = (value ?? {}) as { readonly stream?: unknown; readonly seq?: unknown };
    return typeof stream === "string" && typeof seq === "number" ? stream : undefined;
  } catch {
    return undefined;
  }
}

/** The first value; names are compared without case. */
function header(headers: MsgHdrs | undefined, name: string): string | undefined {
  return headers?.has(name, Match.IgnoreCase) === true ? headers.get(name, Match.IgnoreCase) : undefined;
}

function decimal(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}
