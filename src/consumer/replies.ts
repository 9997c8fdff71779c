/**
 * Makes replies of outcomes and hands them to the link: the reply of the outcome, or an error in its place where it is
 * too large for the plugin's limit or for the server. What the link says happened to it decides what is counted and
 * written: a reply that did not leave is a dropped message and not an answer.
 *
 * @module
 */

import type { Msg } from "nats";
import type { Outcome } from "../contract/request.ts";
import type { ErrorCode } from "../errors/table.ts";
import type { ReplyOwner } from "../nats/recent-replies.ts";
import type { OutgoingReply, ReplyFate, ReplyPort } from "../nats/reply-sender.ts";
import { failed } from "./failure.ts";
import { encodeReply, messageBytes, type Reply } from "./reply.ts";

/** What a reply is made of, and who has to hear what happened to it. */
export interface AnswerParts {
  /** It has a reply subject. */
  readonly message: Msg;
  readonly plugin: string;
  /** Told where the server refuses the reply later. */
  readonly owner: ReplyOwner;
  readonly outcome: Outcome;
  /** Absent where none could be read. */
  readonly id: string | undefined;
  /** The plugin's limit. */
  readonly replyBytes: number;
  /** Nobody waits for it after this time of `performance.now()`. */
  readonly untilMs: number;
  /** Called exactly once. `code` is that of the reply, `undefined` where it is the plugin's own. */
  readonly settled: (fate: ReplyFate, code: ErrorCode | undefined) => void;
}

/** Sends the answer, or has it wait while the connection is down. Never throws. */
export function sendAnswer(port: ReplyPort, parts: AnswerParts): void {
  port.send(new Answer(parts));
}

class Answer implements OutgoingReply {
  readonly #parts: AnswerParts;
  readonly #whole: Reply;
  #code: ErrorCode | undefined;

  constructor(parts: AnswerParts) {
    const { outcome, id, replyBytes } = parts;
    const whole = encodeReply(outcome, id);
    this.#parts = parts;
    this.#whole = bodyBytesOf(outcome, whole) <= replyBytes ? whole : tooLarge(outcome, whole, id);
    this.#code = this.#whole.code;
  }

  get subject(): string {
    return this.#parts.message.reply ?? "";
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
