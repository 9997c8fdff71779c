/**
 * Sends replies to the server. While the connection carries messages, a reply is published at once. While it does not,
 * replies are held: bounded in bytes (`FIXED_LIMITS.heldReplyBytes`), and each for as long as its caller waits. When
 * the connection is back they are published, after another check against the server's `max_payload`.
 *
 * Each reply is settled once, as sent or with the reason why it was given up. The server can still refuse a sent reply,
 * and reports that later: then the reply's owner is notified. A reply that the socket took before the connection broke
 * may have arrived, so it is not sent again but counted as unconfirmed.
 *
 * @module
 */

import type { NatsConnection } from "nats";
import { FIXED_LIMITS } from "../contract/limits.ts";
import type { NatsStats } from "../telemetry/nats-stats.ts";
import type { EncodedPublish, PlainMessage, SequencePublish } from "./encoded-publish.ts";
import { HeldReplies, type Held } from "./held-replies.ts";
import { PublishRight } from "./publish-right.ts";
import { RecentReplies, type ReplyOwner } from "./recent-replies.ts";

/** A reply as it goes onto the wire. */
export interface EncodedReply {
  readonly data: Uint8Array;
  /** Encoded (NATS ADR-4). */
  readonly headers: Uint8Array;
}

/** A reply of several messages: they are published together, or held together. */
export interface EncodedSequence {
  readonly messages: readonly PlainMessage[];
}

/** Why a reply was given up. */
export type UnsentReason =
  /** The connection did not come back while the caller waited. */
  | "reply-expired"
  /** There was no more room for held replies. */
  | "reply-no-room"
  /** The replica stopped, or the connection ended permanently, before it could be sent. */
  | "connection-closed"
  /** It is larger than the server's `max_payload`, and so is the error in its place. */
  | "reply-refused";

/** What happened to a reply. */
export type ReplyFate = { readonly kind: "sent" } | { readonly kind: "dropped"; readonly reason: UnsentReason };

/** Something on its way out to a caller. */
interface Outgoing<Encoded> {
  readonly subject: string;
  readonly plugin: string;
  /** Its caller waits until this time of `performance.now()`. */
  readonly untilMs: number;
  /** Outlives the reply. */
  readonly owner: ReplyOwner;
  /** In a form that the server takes, with its `max_payload`. May be called again. */
  encode(maxPayloadBytes: number): Encoded;
  /** Called exactly once, at the latest by {@link ReplySender.close}. */
  settled(fate: ReplyFate): void;
}

/** A reply on its way out; an error in its place where it is larger than the server's `max_payload`. */
export type OutgoingReply = Outgoing<EncodedReply>;

/** A reply of several messages on its way out. `subject` is the one by which the server would refuse it. */
export type OutgoingSequence = Outgoing<EncodedSequence>;

export interface ReplyPort {
  send(reply: OutgoingReply): void;
}

export interface SequencePort {
  send(reply: OutgoingSequence): void;
  /** Publishes messages that precede a reply; false while the connection carries none. Never throws. */
  precede(messages: readonly PlainMessage[]): boolean;
}

/** What a `ReplySender` needs of a connection. */
export interface ReplyConnection extends Pick<NatsConnection, "isClosed"> {
  /** What the server said about itself; absent while there is no connection. */
  readonly info?: { readonly max_payload: number } | undefined;
}

export interface ReplySenderOptions {
  /** It must be up at the beginning. */
  readonly connection: ReplyConnection;
  readonly publish: EncodedPublish;
  readonly publishSequence: SequencePublish;
  readonly stats: NatsStats;
  /** A callback for a reply's outcome threw. */
  readonly failed: (error: unknown) => void;
}

type Sendable = OutgoingReply | OutgoingSequence;

interface HeldReply extends Held {
  readonly reply: Sendable;
}

const SENT: ReplyFate = { kind: "sent" };
const SWEEP_MS = 100;

export class ReplySender implements ReplyPort, SequencePort {
  readonly #parts: ReplySenderOptions;
  readonly #held = new HeldReplies<HeldReply>(FIXED_LIMITS.heldReplyBytes);
  readonly #recent = new RecentReplies();
  readonly #right = new PublishRight();
  #maxPayloadBytes: number;
  #sweep: NodeJS.Timeout | undefined;
  #idle: PromiseWithResolvers<void> | undefined;
  #state: "open" | "closed" = "open";
  /** Does the connection carry messages, by the last {@link hold} or {@link release}? */
  #isCarrying = true;
  /** The server's message, where it ended the connection because of a reply's size. */
  #payloadRefusal: string | undefined;
  /** How many replies preceded the last answered question, and the open one. */
  #confirmedCount = 0;
  #askedCount = 0;

  constructor(parts: ReplySenderOptions) {
    this.#parts = parts;
    this.#maxPayloadBytes = parts.connection.info?.max_payload ?? Number.POSITIVE_INFINITY;
  }

  get heldCount(): number {
    return this.#held.count;
  }

  get heldBytes(): number {
    return this.#held.bytes;
  }

  /** The server's `max_payload`, as last reported. */
  get maxPayloadBytes(): number {
    return this.#parts.connection.info?.max_payload ?? this.#maxPayloadBytes;
  }

  /** Why the server refuses replies, if it does. */
  get refusal(): string | undefined {
    return this.#right.refusal;
  }

  /** Publishes it, or holds it. Never throws. */
  send(reply: Sendable): void {
    // While the client dials it has no `info`, and loses what is published.
    const info = this.#isCarrying ? this.#parts.connection.info : undefined;
    if (info === undefined) {
      this.#hold(reply);
      return;
    }
    this.#maxPayloadBytes = info.max_payload;
    this.#publish(reply);
  }

  precede(messages: readonly PlainMessage[]): boolean {
    const { connection, publishSequence } = this.#parts;
    if (!this.#isCarrying || connection.info === undefined || connection.isClosed()) return false;
    publishSequence(messages);
    return true;
  }

  /** The connection carries no messages: replies wait for {@link release} from now on. */
  hold(): void {
    this.#isCarrying = false;
  }

  /** The connection carries messages again: publishes the held replies whose callers still wait. */
  release(): void {
    this.#isCarrying = true;
    this.#dropExpired();
    this.#maxPayloadBytes = this.maxPayloadBytes;
    for (const { reply } of this.#held.takeAll()) this.#publish(reply);
    this.#noteIdle();
  }

  /** Resolves when no reply is held. */
  async idle(): Promise<void> {
    if (this.#held.count === 0) return;
    this.#idle ??= Promise.withResolvers();
    await this.#idle.promise;
  }

  /** Gives up the held replies, and from now on those that cannot be published at once. Returns how many it gave up. */
  close(): number {
    this.#state = "closed";
    const held = this.#held.takeAll();
    for (const { reply } of held) this.#drop(reply, "connection-closed");
    this.#noteIdle();
    return held.length;
  }

  /** A question to the server is sent, after all replies so far. */
  asked(): void {
    this.#askedCount = this.#recent.count;
    this.#right.asked(this.#askedCount);
  }

  /** The server has answered it, and has reported every refusal of a reply before it. */
  answered(): void {
    this.#confirmedCount = this.#askedCount;
    this.#recent.settleBefore(this.#confirmedCount);
    this.#right.answered();
  }

  /** The server did not permit a reply on this subject. */
  permissionRefused(subject: string, message: string): void {
    const refused = this.#recent.takeRefused(subject);
    if (refused === undefined) return;
    this.#right.refuse(refused.number, message);
    refused.owner.refused(subject, message);
  }

  /**
   * The server ends the connection because of a reply's size. It does not say which reply: {@link reconnected} finds it
   * by the new `max_payload`.
   */
  payloadRefused(message: string): void {
    this.#payloadRefusal = message;
  }

  disconnected(): void {
    this.hold();
    this.#parts.stats.unconfirmed(this.#recent.count - this.#confirmedCount);
    this.#confirmedCount = this.#recent.count;
  }

  /** The connection is up again. {@link release} follows when it carries messages. */
  reconnected(): void {
    if (this.#payloadRefusal !== undefined) {
      const found = this.#recent.takeLargerThan(this.maxPayloadBytes);
      found?.owner.refused(found.subject, this.#payloadRefusal);
      this.#payloadRefusal = undefined;
    }
    const { count } = this.#recent;
    this.#recent.settleBefore(count);
    this.#confirmedCount = count;
    this.#right.renewed(count);
  }

  #publish(reply: Sendable): void {
    const { connection, publish, publishSequence } = this.#parts;
    const encoded = reply.encode(this.#maxPayloadBytes);
    const bytes = "messages" in encoded ? largestOf(encoded) : encoded.data.length + encoded.headers.length;
    // An error reply may be larger than `max_payload`, too.
    if (bytes > this.#maxPayloadBytes) {
      this.#drop(reply, "reply-refused");
      return;
    }
    if (connection.isClosed()) {
      this.#drop(reply, "connection-closed");
      return;
    }
    if ("messages" in encoded) publishSequence(encoded.messages);
    else publish(reply.subject, encoded.headers, encoded.data);
    this.#recent.add(reply.subject, bytes, reply.owner);
    this.#settle(reply, SENT);
  }

  #hold(reply: Sendable): void {
    if (this.#state === "closed" || this.#parts.connection.isClosed()) {
      this.#drop(reply, "connection-closed");
      return;
    }
    const { plugin, untilMs } = reply;
    const bytes = bytesOf(reply.encode(this.#maxPayloadBytes));
    const evicted = this.#held.add({ reply, plugin, untilMs, bytes });
    for (const { reply: given } of evicted) this.#drop(given, "reply-no-room");
    this.#sweep ??= setInterval(() => this.#dropExpired(), SWEEP_MS);
  }

  #dropExpired(): void {
    for (const { reply } of this.#held.takeExpired(performance.now())) this.#drop(reply, "reply-expired");
    this.#noteIdle();
  }

  #drop(reply: Sendable, reason: UnsentReason): void {
    this.#settle(reply, { kind: "dropped", reason });
  }

  /** Catches what the callback throws: other replies must still be settled. */
  #settle(reply: Sendable, fate: ReplyFate): void {
    try {
      reply.settled(fate);
    } catch (error) {
      this.#parts.failed(error);
    }
  }

  #noteIdle(): void {
    if (this.#held.count > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
    this.#idle?.resolve();
    this.#idle = undefined;
  }
}

function bytesOf(encoded: EncodedReply | EncodedSequence): number {
  if ("messages" in encoded) return encoded.messages.reduce((sum, { data }) => sum + data.length, 0);
  return encoded.data.length + encoded.headers.length;
}

function largestOf({ messages }: EncodedSequence): number {
  return messages.reduce((largest, { data }) => Math.max(largest, data.length), 0);
}
