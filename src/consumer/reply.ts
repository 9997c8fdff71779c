/**
 * Turns the outcome of a request into the reply that the protocol prescribes (docs/protocol.md), or into an error where
 * that reply is larger than the plugin's limit or the server allows. A reply carries the stable code, the table's safe
 * summary and the plugin's own text; causes stay in the log. Pure: the link sends it.
 *
 * @module
 */

import type { Msg } from "nats";
import type { Outcome } from "../contract/request.ts";
import { HEADER } from "../contract/protocol.ts";
import { type ErrorCode, errorRow } from "../errors/table.ts";
import type { ReplyOwner } from "../nats/recent-replies.ts";
import type { OutgoingReply, ReplyFate, ReplyPort } from "../nats/reply-sender.ts";
import { failed } from "./failure.ts";

/** A reply, ready to publish. */
export interface Reply {
  readonly data: Uint8Array;
  /** Encoded for the wire (NATS ADR-4). */
  readonly headers: Uint8Array;
  /** The code of a failure, or `undefined` where the plugin answered. */
  readonly code: ErrorCode | undefined;
}

/** What happened to an answer; a caller over a connection of its own may go away, or not read. */
export type AnswerFate = ReplyFate | { readonly kind: "dropped"; readonly reason: "caller-gone" | "reply-unread" };

/** The outcome of a request, and what its transport needs to make a reply of it. */
export interface AnswerOptions {
  readonly plugin: string;
  /** Notified if the server refuses the reply later. */
  readonly owner: ReplyOwner;
  readonly outcome: Outcome;
  /** Absent where the request had no valid one. */
  readonly id: string | undefined;
  /** The plugin's limit. */
  readonly replyBytes: number;
  /** The caller waits until this time of `performance.now()`. */
  readonly untilMs: number;
  /**
   * Called exactly once. A reply that was not sent counts as a dropped message, not as an answer. `code` is the reply's
   * code, `undefined` for a plugin's successful response.
   */
  readonly settled: (fate: AnswerFate, code: ErrorCode | undefined) => void;
}

/** Where a request came from, and the way back to its caller: one for each transport. */
export interface RequestOrigin {
  /** When it arrived, by the clock of `performance.now()`. */
  readonly arrivedMs: number;
  /** Sends the reply, once; `answer.settled` says what happened to it. Must not throw. */
  reply(answer: AnswerOptions): void;
}

/** A NATS message of one of a plugin's subjects. */
export class NatsRequest implements RequestOrigin {
  readonly message: Msg;
  /** The message's subject. */
  readonly subject: string;
  readonly arrivedMs: number;
  readonly #replies: ReplyPort;

  constructor(message: Msg, subject: string, arrivedMs: number, replies: ReplyPort) {
    this.message = message;
    this.subject = subject;
    this.arrivedMs = arrivedMs;
    this.#replies = replies;
  }

  /** Needs a reply subject. */
  reply(answer: AnswerOptions): void {
    this.#replies.send(new Answer(this.message.reply ?? "", answer));
  }
}

/** A reply on its way to the link. */
class Answer implements OutgoingReply {
  readonly subject: string;
  readonly #parts: AnswerOptions;
  readonly #whole: Reply;
  #code: ErrorCode | undefined;

  constructor(subject: string, parts: AnswerOptions) {
    const { outcome, id, replyBytes } = parts;
    const whole = encodeReply(outcome, id);
    this.subject = subject;
    this.#parts = parts;
    this.#whole = bodyBytesOf(outcome, whole) <= replyBytes ? whole : tooLarge(outcome, whole, id);
    this.#code = this.#whole.code;
  }

  get plugin(): string {
    return this.#parts.plugin;
  }

  get owner(): ReplyOwner {
    return this.#parts.owner;
  }

  get untilMs(): number {
    return this.#parts.untilMs;
  }

  encode(maxPayloadBytes: number): Reply {
    const { outcome, id } = this.#parts;
    const reply = messageBytes(this.#whole) <= maxPayloadBytes ? this.#whole : tooLarge(outcome, this.#whole, id);
    this.#code = reply.code;
    return reply;
  }

  settled(fate: ReplyFate): void {
    this.#parts.settled(fate, this.#code);
  }
}

function bodyBytesOf(outcome: Outcome, reply: Reply): number {
  return outcome.kind === "failed" ? 0 : reply.data.length;
}

function tooLarge(outcome: Outcome, reply: Reply, id: string | undefined): Reply {
  return encodeReply(failed("reply-too-large", `the body has ${bodyBytesOf(outcome, reply)} bytes`), id);
}

/** The header has at most this much of an error's text; the body has all of it. */
const MAX_ERROR_TEXT_LENGTH = 256;
const EMPTY = new Uint8Array(0);

/** The reply to a request. `id` is absent only where the request had no valid one. */
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

interface FailureOptions {
  /** Text for the header instead of the table's summary. */
  readonly text?: string;
  readonly data?: Uint8Array;
  readonly retryAfterMs?: number;
  readonly isAfterOutage?: boolean;
}

function failure(code: ErrorCode, id: string | undefined, parts: FailureOptions): Reply {
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

/** Encodes `lines` and the id, all of them printable ASCII. */
function encodeHeaders(lines: string, id: string | undefined): Uint8Array {
  const idLine = id === undefined ? "" : `${HEADER.id}: ${id}\r\n`;
  return Buffer.from(`NATS/1.0\r\n${lines}${idLine}\r\n`, "latin1");
}

/** One line of printable ASCII, bounded: other characters are not safe in a header's value. */
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
