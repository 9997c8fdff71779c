import type { Msg, Subscription } from "nats";
import type { SubscribingConnection } from "../../../src/consumer/consumer.ts";
import type { ReplyConnection } from "../../../src/consumer/replies.ts";

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

/** A connection to NATS, as far as a consumer knows one. */
export class FakeNats implements SubscribingConnection, ReplyConnection {
  readonly delivered: Delivered[] = [];
  readonly #callbacks = new Map<string, Callback>();
  #isClosed = false;

  get info(): ReplyConnection["info"] {
    return this.#isClosed ? undefined : { max_payload: MAX_PAYLOAD_BYTES };
  }

  subscribe: SubscribingConnection["subscribe"] = (subject, { callback } = {}) => {
    this.#callbacks.set(subject, callback as Callback);
    const drain = async (): Promise<void> => void this.#callbacks.delete(subject);
    return { drain, unsubscribe: () => void drain() } as Partial<Subscription> as Subscription;
  };

  async flush(): Promise<void> {}

  /** For good: nothing arrives any more, and nothing can be sent. */
  close(): void {
    this.#isClosed = true;
    this.#callbacks.clear();
  }

  /** Delivers a message to who subscribed to exactly this subject or to all methods. False where nobody did. */
  deliver(sent: Sent): boolean {
    const callback = this.#callbacks.get(sent.subject) ?? this.#callbacks.get(sent.subject.replace(/\.[^.]*$/, ".*"));
    if (callback === undefined) return false;
    const delivered: Delivered = { sent, replies: [] };
    this.delivered.push(delivered);
    callback(null, this.#messageOf(delivered));
    return true;
  }

  /** As the client keeps it: the payload behind its headers. */
  #messageOf({ sent, replies }: Delivered): Msg {
    const lines = Object.entries(sent.headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = Buffer.from(`NATS/1.0\r\n${lines.join("")}\r\n`);
    const message = {
      _msg: { hdr: head.length },
      _rdata: Buffer.concat([head, sent.data]),
      subject: sent.subject,
      reply: sent.reply,
      data: sent.data,
      respond: (data: Uint8Array, { headers }: { headers: { encode(): Uint8Array } }) => {
        const code = /^Rpc-Error: (.*)\r$/m.exec(Buffer.from(headers.encode()).toString("latin1"))?.[1];
        // The client takes what can never be sent, and says nothing.
        if (!this.#isClosed) replies.push({ code, data });
        return true;
      },
    };
    return message as unknown as Msg;
  }
}
