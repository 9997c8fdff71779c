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
import type { EncodedPublish } from "./encoded-publish.ts";
import { HeldReplies, type Held } from "./held-replies.ts";
import { PublishRight } from "./publish-right.ts";
import { RecentReplies, type ReplyOwner } from "./recent-replies.ts";

/** A reply as it goes onto the wire. */
export interface EncodedReply {
  readonly data: Uint8Array;
  /** Encoded (NATS ADR-4). */
  readonly headers: Uint8Array;
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

/** A reply on its way out. */
export interface OutgoingReply {
  readonly subject: string;
  readonly plugin: string;
  /** Its caller waits until this time of `performance.now()`. */
  readonly untilMs: number;
  /** Outlives the reply. */
  readonly owner: ReplyOwner;
  /** The reply, or an error in its place where it is larger than `maxPayloadBytes`. May be called again. */
  encode(maxPayloadBytes: number): EncodedReply;
  /** Called exactly once, at the latest by {@link ReplySender.close}. */
  settled(fate: ReplyFate): void;
}

export interface ReplyPort {
  send(reply: OutgoingReply): void;
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
  readonly stats: NatsStats;
  /** A callback for a reply's outcome threw. */
  readonly failed: (error: unknown) => void;
}

interface HeldReply extends Held {
  readonly reply: OutgoingReply;
}

const SENT: ReplyFate = { kind: "sent" };
const SWEEP_MS = 100;

export class ReplySender implements ReplyPort {
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
  send(reply: OutgoingReply): void {
    // While the client dials it has no `info`, and loses what is published.
    const info = this.#isCarrying ? this.#parts.connection.info : undefined;
    if (info === undefined) {
      this.#hold(reply);
      return;
    }
    this.#maxPayloadBytes = info.max_payload;
    this.#publish(reply);
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

  #publish(reply: OutgoingReply): void {
    const { connection, publish } = this.#parts;
    const { data, headers } = reply.encode(this.#maxPayloadBytes);
    // An error reply may be larger than `max_payload`, too.
    if (data.length + headers.length > this.#maxPayloadBytes) {
      this.#drop(reply, "reply-refused");
      return;
    }
    if (connection.isClosed()) {
      this.#drop(reply, "connection-closed");
      return;
    }
    publish(reply.subject, headers, data);
    this.#recent.add(reply.subject, data.length + headers.length, reply.owner);
    this.#settle(reply, SENT);
  }

  #hold(reply: OutgoingReply): void {
    if (this.#state === "closed" || this.#parts.connection.isClosed()) {
      this.#drop(reply, "connection-closed");
      return;
    }
    const { data, headers } = reply.encode(this.#maxPayloadBytes);
    const { plugin, untilMs } = reply;
    const evicted = this.#held.add({ reply, plugin, untilMs, bytes: data.length + headers.length });
    for (const { reply: given } of evicted) this.#drop(given, "reply-no-room");
    this.#sweep ??= setInterval(() => this.#dropExpired(), SWEEP_MS);
  }

  #dropExpired(): void {
    for (const { reply } of this.#held.takeExpired(performance.now())) this.#drop(reply, "reply-expired");
    this.#noteIdle();
  }

  #drop(reply: OutgoingReply, reason: UnsentReason): void {
    this.#settle(reply, { kind: "dropped", reason });
  }

  /** Catches what the callback throws: other replies must still be settled. */
  #settle(reply: OutgoingReply, fate: ReplyFate): void {
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
