/**
 * The way of replies to the server. While the connection carries messages a reply is published at once. While it does
 * not, replies are held: bounded in bytes (`FIXED_LIMITS.heldReplyBytes`) and each until nobody waits for it any more.
 * They are published when the connection is back, checked again by what the server takes then.
 *
 * Each reply is settled once, as sent or with the reason why it was given up. One that was sent can still be refused by
 * the server, which says so later: then its owner hears of it. A reply that the socket took before the connection
 * broke is not sent again, since it may have arrived: those are counted as unconfirmed.
 *
 * @module
 */

import type { MsgHdrs, NatsConnection } from "nats";
import { FIXED_LIMITS } from "../contract/limits.ts";
import type { NatsStats } from "../telemetry/nats-stats.ts";
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
  /** The connection did not come back while somebody waited for it. */
  | "reply-expired"
  /** There was no more room for replies that wait. */
  | "reply-no-room"
  /** The replica stopped, or the connection ended permanently, before it could be sent. */
  | "connection-closed"
  /** It has more bytes than the server takes, and so has the error in its place. */
  | "reply-refused";

/** What happened to a reply. */
export type ReplyFate = { readonly kind: "sent" } | { readonly kind: "dropped"; readonly reason: UnsentReason };

/** A reply on its way out. */
export interface OutgoingReply {
  readonly subject: string;
  readonly plugin: string;
  /** Nobody waits for it after this time of `performance.now()`. */
  readonly untilMs: number;
  /** Outlives the reply. */
  readonly owner: ReplyOwner;
  /** The reply, or an error in its place where it has more bytes than the server takes. May be asked again. */
  encode(maxPayloadBytes: number): EncodedReply;
  /** Called exactly once, at the latest by {@link ReplySender.close}. */
  settled(fate: ReplyFate): void;
}

/** What a reply is sent by. */
export interface ReplyPort {
  send(reply: OutgoingReply): void;
}

/** What replies need of a connection. */
export interface ReplyConnection extends Pick<NatsConnection, "publish" | "isClosed"> {
  /** What the server said of itself; absent while there is no connection. */
  readonly info?: { readonly max_payload: number } | undefined;
}

export interface ReplySenderOptions {
  /** It is up when this begins. */
  readonly connection: ReplyConnection;
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
  /** Does the connection carry messages, as far as this was told? */
  #isCarrying = true;
  /** The server's words where it ended the connection because of a reply's size. */
  #payloadRefusal: string | undefined;
  /** Replies of which the server had heard at the last answered question, and at the open one. */
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

  /** What the server takes, as it last said. */
  get maxPayloadBytes(): number {
    return this.#parts.connection.info?.max_payload ?? this.#maxPayloadBytes;
  }

  /** Why the server takes no replies, if it takes none. */
  get refusal(): string | undefined {
    return this.#right.refusal;
  }

  /** Publishes it, or holds it. Never throws. */
  send(reply: OutgoingReply): void {
    // The client forgets the server's facts when it dials, and then loses what is published.
    const info = this.#isCarrying ? this.#parts.connection.info : undefined;
    if (info === undefined) {
      this.#hold(reply);
      return;
    }
    this.#maxPayloadBytes = info.max_payload;
    this.#publish(reply);
  }

  /** The connection carries nothing: what is sent from now on waits for {@link release}. */
  hold(): void {
    this.#isCarrying = false;
  }

  /** The connection carries messages again: publishes what is held, to whoever still waits. */
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

  /** Gives up what is held, and from now on what cannot be published at once. Answers how many it gave up. */
  close(): number {
    this.#state = "closed";
    const held = this.#held.takeAll();
    for (const { reply } of held) this.#drop(reply, "connection-closed");
    this.#noteIdle();
    return held.length;
  }

  /** A question to the server leaves behind all that was sent. */
  asked(): void {
    this.#askedCount = this.#recent.count;
    this.#right.asked(this.#askedCount);
  }

  /** The server has answered it, and refused by then what it refuses of the replies before. */
  answered(): void {
    this.#confirmedCount = this.#askedCount;
    this.#recent.settleBefore(this.#confirmedCount);
    this.#right.answered();
  }

  /** The server did not permit a reply. */
  permissionRefused(subject: string, message: string): void {
    const refused = this.#recent.takeRefused(subject);
    if (refused === undefined) return;
    this.#right.refuse(refused.number, message);
    refused.owner.refused(subject, message);
  }

  /** The server ends the connection because of a reply's size. It says no more: which one shows when it is back. */
  payloadRefused(message: string): void {
    this.#payloadRefusal = message;
  }

  disconnected(): void {
    this.hold();
    this.#parts.stats.unconfirmed(this.#recent.count - this.#confirmedCount);
    this.#confirmedCount = this.#recent.count;
  }

  /** The connection is up again. Whether it carries messages is told by {@link release}. */
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
    const { connection } = this.#parts;
    const { data, headers } = reply.encode(this.#maxPayloadBytes);
    try {
      connection.publish(reply.subject, data, { headers: publishable(headers) });
    } catch {
      // The client refuses what is too large for the server, and everything once it is closed.
      this.#drop(reply, connection.isClosed() ? "connection-closed" : "reply-refused");
      return;
    }
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

  /** The replies behind this one are to be settled as well. */
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

/**
 * Encoded headers in the form that the client's `publish` takes them. All it does with headers is to ask for their
 * encoding; building them by its own class costs more than the rest of a reply.
 */
function publishable(headers: Uint8Array): MsgHdrs {
  return { encode: () => headers } as Partial<MsgHdrs> & { encode(): Uint8Array } as MsgHdrs;
}
