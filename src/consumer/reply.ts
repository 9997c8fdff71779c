/**
 * Turns the outcome of a request into the reply that the protocol prescribes (docs/protocol.md). Pure. A
 * reply carries the stable code, the table's safe summary and what the plugin itself said; causes stay in
 * the log.
 *
 * @module
 */

import type { Outcome } from "../contract/request.ts";
import { HEADER } from "../contract/protocol.ts";
import { type ErrorCode, errorRow } from "../errors/table.ts";

/** A reply, ready to publish. */
export interface Reply {
  readonly data: Uint8Array;
  /** Encoded as they stand on the wire (NATS ADR-4). */
  readonly headers: Uint8Array;
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
      const status = `${HEADER.status}: ${outcome.response.status}\r\n`;
      return { data: outcome.response.body, headers: encodeHeaders(status, id), code: undefined };
    }
    case "plugin-error":
      return failure("plugin-error", id, {
        isAfterOutage: outcome.isAfterOutage === true,
        text: outcome.message,
        data: Buffer.from(outcome.message, "utf8"),
      });
    case "trap":
      return failure("plugin-trapped", id, { isAfterOutage: outcome.isAfterOutage === true });
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
  readonly isAfterOutage?: boolean;
}

function failure(code: ErrorCode, id: string | undefined, parts: FailureParts): Reply {
  const { text, data = EMPTY, retryAfterMs, isAfterOutage = false } = parts;
  const row = errorRow(code);
  const isRetryable = row.retryable || (isAfterOutage && row.retryableAfterOutage === true);
  const lines = [
    `${HEADER.serviceError}: ${headerText(text) || row.summary}`,
    `${HEADER.serviceErrorCode}: ${row.replyCode}`,
    `${HEADER.error}: ${code}`,
    `${HEADER.retryable}: ${isRetryable}`,
    ...(retryAfterMs === undefined ? [] : [`${HEADER.retryAfterMs}: ${Math.ceil(retryAfterMs)}`]),
  ];
  return { data, headers: encodeHeaders(`${lines.join("\r\n")}\r\n`, id), code };
}

/** `lines` and the id, which are printable ASCII all of them. */
function encodeHeaders(lines: string, id: string | undefined): Uint8Array {
  const idLine = id === undefined ? "" : `${HEADER.id}: ${id}\r\n`;
  return Buffer.from(`NATS/1.0\r\n${lines}${idLine}\r\n`, "latin1");
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
export function messageBytes({ data, headers }: Reply): number {
  return data.length + headers.length;
}
