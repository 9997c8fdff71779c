/**
 * Turns the outcome of a request into the reply that the protocol prescribes (docs/protocol.md). Pure. A
 * reply carries the stable code, the table's safe summary and what the plugin itself said; causes stay in
 * the log.
 *
 * @module
 */

import { headers, type MsgHdrs } from "nats";
import type { Outcome } from "../contract/request.ts";
import { HEADER } from "../contract/protocol.ts";
import { type ErrorCode, errorRow } from "../errors/table.ts";

/** A reply, ready to publish. */
export interface Reply {
  readonly data: Uint8Array;
  readonly headers: MsgHdrs;
  /** The code of a failure, or `undefined` where the plugin answered. */
  readonly code: ErrorCode | undefined;
}

/** At most this much of an error's text goes into the header; the body has all of it. */
const MAX_ERROR_TEXT_LENGTH = 256;
const EMPTY = new Uint8Array(0);

/** The reply to a request. `id` is absent only where none could be read. */
export function encodeReply(outcome: Outcome, id: string | undefined): Reply {
  switch (outcome.kind) {
    case "ok": {
      const head = headers();
      head.set(HEADER.status, String(outcome.response.status));
      if (id !== undefined) head.set(HEADER.id, id);
      return { data: outcome.response.body, headers: head, code: undefined };
    }
    case "plugin-error":
      return failure("plugin-error", id, {
        text: outcome.message,
        data: Buffer.from(outcome.message, "utf8"),
      });
    case "trap":
      return failure("plugin-trapped", id, {});
    case "failed":
      return failure(outcome.code, id, {
        ...(outcome.safeText === undefined ? {} : { text: outcome.safeText }),
        ...(outcome.retryAfterMs === undefined ? {} : { retryAfterMs: outcome.retryAfterMs }),
      });
  }
}

interface FailureParts {
  /** Text for the header instead of the table's summary. */
  readonly text?: string;
  readonly data?: Uint8Array;
  readonly retryAfterMs?: number;
}

function failure(code: ErrorCode, id: string | undefined, { text, data = EMPTY, retryAfterMs }: FailureParts): Reply {
  const row = errorRow(code);
  const head = headers();
  head.set(HEADER.serviceError, headerText(text) || row.summary);
  head.set(HEADER.serviceErrorCode, String(row.replyCode));
  head.set(HEADER.error, code);
  head.set(HEADER.retryable, String(row.retryable));
  if (retryAfterMs !== undefined) head.set(HEADER.retryAfterMs, String(Math.ceil(retryAfterMs)));
  if (id !== undefined) head.set(HEADER.id, id);
  return { data, headers: head, code };
}

/** One line of printable ASCII, bounded: a header's value can hold no more without surprises. */
function headerText(text: string | undefined): string {
  if (text === undefined) return "";
  return text
    .slice(0, MAX_ERROR_TEXT_LENGTH)
    .replace(/[^\x20-\x7e]+/g, " ")
    .trim();
}

/** Bytes that a message takes of the server's `max_payload`: the body and the encoded headers. */
export function messageBytes(reply: Reply): number {
  let bytes = "NATS/1.0\r\n\r\n".length + reply.data.length;
  for (const name of reply.headers.keys()) {
    for (const value of reply.headers.values(name)) bytes += name.length + value.length + ": \r\n".length;
  }
  return bytes;
}
