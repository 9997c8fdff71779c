/**
 * A call over NATS, and the way back to its caller.
 *
 * The caller waits for a handshake, an empty message whose reply subject says where the rest of the parameters goes, then for
 * the result and an empty message after it. Where all parameters came with the invocation, the handshake waits for the
 * result, and all of it is published together: it costs no more than one write.
 *
 * @module
 */

import type { AnswerOptions, RequestOrigin } from "../../consumer/reply.ts";
import type { ErrorCode } from "../../errors/table.ts";
import type { PlainMessage } from "../../nats/encoded-publish.ts";
import type { ReplyOwner } from "../../nats/recent-replies.ts";
import type { EncodedSequence, OutgoingSequence, ReplyFate, SequencePort } from "../../nats/reply-sender.ts";
import { encodeValue, HANDLE_REQUEST } from "../../wrpc/handler-functions.ts";
import { resultsSubject } from "../../wrpc/nats-subjects.ts";
import { resultOf } from "../handler-result.ts";

/** An invocation of `handle-request`. */
export class Invocation implements RequestOrigin {
  readonly arrivedMs: number;
  /** The reply subject of the invocation. */
  readonly #caller: string;
  readonly #replies: SequencePort;
  /** What must precede the result. */
  #due: readonly PlainMessage[];

  /** `inbox` is named in a handshake that comes with the result: nobody listens there. */
  constructor(caller: string, arrivedMs: number, inbox: string, replies: SequencePort) {
    this.arrivedMs = arrivedMs;
    this.#caller = caller;
    this.#replies = replies;
    this.#due = handshake(caller, inbox);
  }

  /** Asks for the rest of the parameters; false while the connection carries no messages. */
  ask(inbox: string): boolean {
    if (!this.#replies.precede(handshake(this.#caller, inbox))) return false;
    this.#due = [];
    return true;
  }

  reply(answer: AnswerOptions): void {
    const { result, code } = resultOf(answer.outcome, answer.replyBytes);
    const value = encodeValue(HANDLE_REQUEST.result, result);
    this.#replies.send(new Result(resultsSubject(this.#caller), this.#due, value, code, answer));
  }
}

const EMPTY = Buffer.alloc(0);

/** Tells the caller where to send the rest of the parameters. */
export function handshake(caller: string, inbox: string): readonly PlainMessage[] {
  return [{ subject: caller, reply: inbox, data: EMPTY }];
}

/** A result and its end, in messages of at most the size that the server takes. */
export function resultMessages(
  subject: string,
  value: readonly Uint8Array[],
  maxPayloadBytes: number,
): readonly PlainMessage[] {
  const [first = EMPTY, ...rest] = value;
  const bytes = rest.length === 0 ? first : Buffer.concat(value);
  const messages: PlainMessage[] = [];
  for (let at = 0; at < bytes.length; at += maxPayloadBytes)
    messages.push({ subject, data: bytes.subarray(at, at + maxPayloadBytes) });
  messages.push({ subject, data: EMPTY });
  return messages;
}

/** A result on its way to the link. */
class Result implements OutgoingSequence {
  readonly subject: string;
  readonly #due: readonly PlainMessage[];
  readonly #value: readonly Uint8Array[];
  readonly #code: ErrorCode | undefined;
  readonly #answer: AnswerOptions;

  constructor(
    subject: string,
    due: readonly PlainMessage[],
    value: readonly Uint8Array[],
    code: ErrorCode | undefined,
    answer: AnswerOptions,
  ) {
    this.subject = subject;
    this.#due = due;
    this.#value = value;
    this.#code = code;
    this.#answer = answer;
  }

  get plugin(): string {
    return this.#answer.plugin;
  }

  get owner(): ReplyOwner {
    return this.#answer.owner;
  }

  get untilMs(): number {
    return this.#answer.untilMs;
  }

  encode(maxPayloadBytes: number): EncodedSequence {
    return { messages: [...this.#due, ...resultMessages(this.subject, this.#value, maxPayloadBytes)] };
  }

  settled(fate: ReplyFate): void {
    this.#answer.settled(fate, this.#code);
  }
}
