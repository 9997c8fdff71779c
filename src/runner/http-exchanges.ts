/**
 * The outbound HTTP requests of a runner's calls: from a guest's request to messages and from messages to what
 * the guest waits for. What the host says of an exchange that has ended here is ignored: it was on its way.
 *
 * @module
 */

import { IdMap } from "../channel/id-map.ts";
import type { HttpHostMessage, HttpRunnerMessage } from "../channel/http-messages.ts";
import type { HttpExchange, HttpRequest, HttpSink } from "../contract/http.ts";

interface Entry {
  readonly call: number;
  readonly sink: HttpSink;
}

/** A request of a call. */
export interface CallsRequest extends Entry {
  readonly request: HttpRequest;
}

export class HttpExchanges {
  readonly #send: (message: HttpRunnerMessage) => void;
  readonly #entries = new IdMap<Entry>();

  constructor(send: (message: HttpRunnerMessage) => void) {
    this.#send = send;
  }

  open({ call, request, sink }: CallsRequest): HttpExchange {
    const exchange = this.#entries.newId();
    this.#entries.set(exchange, { call, sink });
    this.#send({ kind: "http-request", call, exchange, request });
    const tell = (message: HttpRunnerMessage): void => {
      if (this.#entries.has(exchange)) this.#send(message);
    };
    return {
      write: (bytes) => tell({ kind: "http-body", exchange, bytes }),
      finish: () => tell({ kind: "http-finish", exchange }),
      read: (bytes) => tell({ kind: "http-read", exchange, bytes }),
      abort: () => {
        tell({ kind: "http-abort", exchange });
        this.#entries.delete(exchange);
      },
    };
  }

  /** Acts on what the host says of an exchange. */
  receive(message: HttpHostMessage): void {
    const sink = this.#entries.get(message.exchange)?.sink;
    if (sink === undefined) return;
    switch (message.kind) {
      case "http-wanted":
        sink.wanted(message.bytes);
        break;
      case "http-response":
        sink.response(message.response);
        break;
      case "http-chunk":
        sink.chunk(message.bytes);
        break;
      case "http-end":
        this.#entries.delete(message.exchange);
        sink.end(message.trailers);
        break;
      case "http-failed":
        this.#entries.delete(message.exchange);
        sink.fail(message.failure);
        break;
    }
  }

  /** Forgets what a call has left behind; the host ends it by itself. */
  endCall(call: number): void {
    for (const [id, entry] of this.#entries.entries()) if (entry.call === call) this.#entries.delete(id);
  }
}
