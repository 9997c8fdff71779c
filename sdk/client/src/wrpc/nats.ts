/**
 * wRPC over NATS, as its last published crates speak it (wrpc-transport-nats 0.31.0; later versions of wRPC have no NATS).
 *
 * The first parameter bytes go with the invocation. The server answers it with an empty message, whose reply subject says where
 * the rest of them goes, and the results come to a subject of the client. An empty message ends each direction.
 *
 * @module
 */

import { createInbox, type Msg, type NatsConnection } from "@nats-io/nats-core";
import { type Failure, failureOf } from "../call-error.ts";
import { isPluginName } from "../names.ts";
import { printable } from "../printable.ts";
import { BoundedBytes } from "./bounded-bytes.ts";
import { HANDLER, parseRefusal } from "./handler-values.ts";
import type { Invocation, Invoked, WrpcTransport } from "./transport.ts";
import { WrpcPlugin, type WrpcPluginOptions } from "./wrpc-plugin.ts";

/** Where replicas serve the plugin. */
export interface WrpcNatsOptions extends WrpcPluginOptions {
  /** The replicas' prefix, `wrpc.nats.prefix` of their consumer file. */
  readonly prefix: string;
  readonly plugin: string;
  /** The connection's own prefix of inboxes, where it has one. `_INBOX` unless given. */
  readonly inboxPrefix?: string;
}

const PROTOCOL = "wrpc.0.0.1";
const NO_RESPONDERS = 503;
const EMPTY = new Uint8Array(0);
const DEFAULT_MAX_PAYLOAD_BYTES = 1024 * 1024;

/**
 * A plugin that replicas serve over NATS. The connection stays the caller's; all plugins of one connection share one
 * subscription.
 *
 * @throws RangeError where the prefix or the plugin's name is none.
 */
export function wrpcOverNats(connection: NatsConnection, options: WrpcNatsOptions): WrpcPlugin {
  const { prefix, plugin } = options;
  if (!/^[\w-]+(?:\.[\w-]+)*$/.test(prefix))
    throw new RangeError("a prefix is tokens of letters, digits, '_' and '-', joined by dots");
  if (!isPluginName(plugin)) throw new RangeError("a plugin's name is words of a-z and 0-9 joined by '-'");
  return new WrpcPlugin(new NatsTransport(connection, options), options);
}

class NatsTransport implements WrpcTransport {
  readonly plugin: string;
  readonly #connection: NatsConnection;
  readonly #options: WrpcNatsOptions;

  constructor(connection: NatsConnection, options: WrpcNatsOptions) {
    this.plugin = options.plugin;
    this.#connection = connection;
    this.#options = options;
  }

  async invoke(invocation: Invocation): Promise<Invoked> {
    const { prefix, plugin, inboxPrefix } = this.#options;
    const connection = this.#connection;
    try {
      const inbox = Inbox.of(connection, inboxPrefix);
      const exchange = new Exchange(connection, invocation);
      const forget = inbox.route(exchange);
      invocation.signal.addEventListener("abort", forget, { once: true });
      exchange.begin(`${prefix}.${plugin}.${PROTOCOL}.${HANDLER}.${invocation.func}`);
      return await exchange.ended;
    } catch (error) {
      // It was not sent: the connection is closed, or drains.
      return lost(error, { mayHaveRun: false });
    }
  }
}

/** The one subscription of a connection: messages go to the exchange that their subject names. */
class Inbox {
  static readonly #all = new WeakMap<NatsConnection, Map<string | undefined, Inbox>>();
  readonly #subject: string;
  readonly #exchanges = new Map<string, Exchange>();
  #last = 0;

  static of(connection: NatsConnection, prefix: string | undefined): Inbox {
    let ofConnection = Inbox.#all.get(connection);
    if (ofConnection === undefined) Inbox.#all.set(connection, (ofConnection = new Map()));
    let inbox = ofConnection.get(prefix);
    if (inbox === undefined) ofConnection.set(prefix, (inbox = new Inbox(connection, prefix)));
    return inbox;
  }

  private constructor(connection: NatsConnection, prefix: string | undefined) {
    this.#subject = createInbox(prefix);
    connection.subscribe(`${this.#subject}.>`, {
      callback: (error, message) => {
        if (error === null) this.#deliver(message);
        else this.#end(lost(error));
      },
    });
    void connection.closed().then((error) => this.#end(lost(error ?? new Error("the connection was closed"))));
  }

  /** Gives the exchange a subject. Call what it returns when the exchange is over. */
  route(exchange: Exchange): () => void {
    this.#last += 1;
    const token = this.#last.toString(36);
    exchange.subject = `${this.#subject}.${token}`;
    this.#exchanges.set(token, exchange);
    return () => void this.#exchanges.delete(token);
  }

  #deliver(message: Msg): void {
    const [token = "", ...rest] = message.subject.slice(this.#subject.length + 1).split(".");
    const exchange = this.#exchanges.get(token);
    if (rest.length === 0) exchange?.accepted(message);
    else if (rest.length === 1 && rest[0] === "results") exchange?.result(message);
  }

  #end(invoked: Invoked): void {
    for (const exchange of this.#exchanges.values()) exchange.end(invoked);
  }
}

/** One invocation. */
class Exchange {
  /** Where the server answers. */
  subject = "";
  readonly #connection: NatsConnection;
  readonly #maxResultBytes: number;
  readonly #received: BoundedBytes;
  readonly #func: string;
  /** Resolves with the outcome. */
  readonly ended: Promise<Invoked>;
  #end!: (invoked: Invoked) => void;
  /** Parameters that are not sent. */
  #rest: Uint8Array;
  #state: "begun" | "accepted" = "begun";

  constructor(connection: NatsConnection, { func, params, maxResultBytes }: Invocation) {
    this.#connection = connection;
    this.#func = func;
    this.#rest = joined(params);
    this.#maxResultBytes = maxResultBytes;
    this.#received = new BoundedBytes(maxResultBytes);
    this.ended = new Promise((resolve) => (this.#end = resolve));
  }

  end(invoked: Invoked): void {
    this.#end(invoked);
  }

  begin(invocationSubject: string): void {
    this.#connection.publish(invocationSubject, this.#take(), { reply: this.subject });
  }

  /** The server's answer to the invocation. */
  accepted({ headers, reply }: Msg): void {
    const code = headers?.code ?? 0;
    if (code !== 0) this.end({ kind: "failed", failure: refusal(code, headers?.description ?? "") });
    if (code !== 0 || this.#state === "accepted") return;
    this.#state = "accepted";
    if (reply === undefined || reply === "") {
      this.end({ kind: "failed", failure: failureOf("bad-reply", "the server's answer has no reply subject") });
      return;
    }
    try {
      const parameters = `${reply}.params`;
      while (this.#rest.length > 0) this.#connection.publish(parameters, this.#take());
      this.#connection.publish(parameters, EMPTY);
    } catch (error) {
      this.end(lost(error));
    }
  }

  result({ data }: Msg): void {
    if (data.length === 0) this.end({ kind: "ended", bytes: this.#received.join() });
    else if (!this.#received.add(data)) {
      const text = `the result of ${this.#func} has more than ${this.#maxResultBytes} bytes`;
      this.end({ kind: "failed", failure: failureOf("bad-reply", text) });
    }
  }

  /** The next parameter bytes, as many as a message holds. */
  #take(): Uint8Array {
    const maxBytes = this.#connection.info?.max_payload ?? DEFAULT_MAX_PAYLOAD_BYTES;
    const taken = this.#rest.subarray(0, maxBytes);
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new BoundedBytes(Number.POSITIVE_INFINITY);
  for (const part of parts) all.add(part);
  return all.join();
}

/** A status in place of the server's answer: of the NATS server, or a replica's refusal. */
function refusal(status: number, description: string): Failure {
  const refused = parseRefusal(description);
  if (refused !== undefined) return refused;
  return status === NO_RESPONDERS
    ? failureOf("no-responders", "no replica serves the plugin over wRPC with this prefix")
    : failureOf("bad-reply", `the invocation was answered with the status ${status} ${printable(description)}`);
}

function lost(error: unknown, more: Partial<Failure> = {}): Invoked {
  const text = error instanceof Error ? error.message : String(error);
  return { kind: "failed", failure: failureOf("nats-unavailable", text, { ...more, cause: error }) };
}
