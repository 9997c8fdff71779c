import type { Msg, Subscription } from "nats";
import type { EncodedPublish, PlainMessage, SequencePublish } from "../../../src/nats/encoded-publish.ts";
import type { ReplyConnection } from "../../../src/nats/reply-sender.ts";
import type { SubscriptionSetOptions } from "../../../src/nats/subscription-set.ts";

/** What a test sends. */
export interface Sent {
  readonly subject: string;
  readonly reply: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly data: Uint8Array;
}

/** A message that was delivered, and what was published as replies to it. */
export interface Delivered {
  readonly sent: Sent;
  readonly replies: Reply[];
}

export interface Reply {
  /** The code of the table, `undefined` where the plugin answered. */
  readonly code: string | undefined;
  readonly data: Uint8Array;
}

const MAX_PAYLOAD_BYTES = 1_048_576;

type Callback = (error: Error | null, message: Msg) => void;

type LinkedConnection = SubscriptionSetOptions["connection"] & ReplyConnection;

/** A connection to NATS, as far as a link knows one. */
export class FakeNats implements LinkedConnection {
  readonly delivered: Delivered[] = [];
  readonly sequences: (readonly PlainMessage[])[] = [];
  readonly #callbacks = new Map<string, Callback>();
  #state: "up" | "down" | "closed" = "up";
  #subscriptions = 0;

  get info(): LinkedConnection["info"] {
    return this.#state === "up" ? { max_payload: MAX_PAYLOAD_BYTES } : undefined;
  }

  subscribe: LinkedConnection["subscribe"] = (subject, { callback } = {}) => {
    const id = (this.#subscriptions += 1);
    this.#callbacks.set(subject, callback as Callback);
    const unsubscribe = (): void => void this.#callbacks.delete(subject);
    const drain = async (): Promise<void> => unsubscribe();
    const isClosed = (): boolean => !this.#callbacks.has(subject);
    return { drain, unsubscribe, isClosed, getID: () => id } as Partial<Subscription> as Subscription;
  };

  async flush(): Promise<void> {}

  isClosed(): boolean {
    return this.#state === "closed";
  }

  /** The client takes what it can never send, and says nothing. */
  publish: EncodedPublish = (subject, headers, data) => {
    if (this.#state !== "up") return;
    const code = /^Rpc-Error: (.*)\r$/m.exec(Buffer.from(headers).toString("latin1"))?.[1];
    const asked = this.delivered.findLast(({ sent }) => sent.reply === subject);
    if (asked === undefined) throw new Error(`nobody asked on ${subject}`);
    asked.replies.push({ code, data });
  };

  publishSequence: SequencePublish = (messages) => void this.sequences.push(messages);

  /** Nothing arrives, and nothing can be sent: until it is up again, or permanently. */
  enter(state: "up" | "down" | "closed"): void {
    if (this.#state === "closed") return;
    this.#state = state;
    if (state === "closed") this.#callbacks.clear();
  }

  /** Delivers a message to who subscribed to exactly this subject or to all methods. False where nobody did. */
  deliver(sent: Sent): boolean {
    if (this.#state !== "up") return false;
    const callback = this.#callbacks.get(sent.subject) ?? this.#callbacks.get(sent.subject.replace(/\.[^.]*$/, ".*"));
    if (callback === undefined) return false;
    const delivered: Delivered = { sent, replies: [] };
    this.delivered.push(delivered);
    callback(null, this.#messageOf(delivered));
    return true;
  }

  /** As the client keeps it: the payload behind its headers. */
  #messageOf({ sent }: Delivered): Msg {
    const lines = Object.entries(sent.headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = Buffer.from(`NATS/1.0\r\n${lines.join("")}\r\n`);
    const message = {
      _msg: { hdr: head.length },
      _rdata: Buffer.concat([head, sent.data]),
      subject: sent.subject,
      reply: sent.reply,
      data: sent.data,
    };
    return message as unknown as Msg;
  }
}
