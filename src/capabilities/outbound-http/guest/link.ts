/**
 * The outbound HTTP requests of a runner's calls: makes messages of a guest's requests, and passes messages to the exchanges
 * that guests wait for. Messages for an exchange that has ended here are ignored: the host sent them before it knew.
 *
 * @module
 */

import { IdMap } from "../../../channel/id-map.ts";
import type { HttpErrorCode, HttpExchange, HttpRequest, HttpSink } from "../../../contract/http.ts";
import { FIXED_LIMITS } from "../../../contract/limits.ts";
import type { PortKey } from "../../../runner/guest/guest-context.ts";
import type { GuestLink } from "../../guest-side.ts";
import { OUTBOUND_HTTP } from "../definition.ts";
import type { HttpToGuest, HttpToHost } from "../messages.ts";

interface Entry {
  readonly call: number;
  readonly sink: HttpSink;
}

/** A call's port of outbound HTTP. */
export interface OutboundHttpPort {
  /**
   * Sends a request, or returns why it cannot: the call is denied the capability, or has sent as many requests as a call
   * may. Requests that were aborted at once count, too: they cost the host as much. Never throws.
   */
  open(request: HttpRequest, sink: HttpSink): HttpExchange | HttpErrorCode;
}

export const OUTBOUND_HTTP_PORT: PortKey<OutboundHttpPort> = { capability: OUTBOUND_HTTP.name };

/** A runner's end of its outbound HTTP messages. */
export class HttpLink implements GuestLink<HttpToGuest, OutboundHttpPort> {
  readonly #send: (message: HttpToHost) => void;
  readonly #entries = new IdMap<Entry>();

  constructor(send: (message: HttpToHost) => void) {
    this.#send = send;
  }

  port(call: number): OutboundHttpPort {
    let requestsLeft: number = FIXED_LIMITS.httpRequests;
    return {
      open: (request, sink) => {
        if (requestsLeft === 0) return "connection-limit-reached";
        requestsLeft -= 1;
        return this.#open(call, request, sink);
      },
    };
  }

  #open(call: number, request: HttpRequest, sink: HttpSink): HttpExchange {
    const exchange = this.#entries.newId();
    this.#entries.set(exchange, { call, sink });
    this.#send({ kind: "http-request", call, exchange, request });
    const tell = (message: HttpToHost): void => {
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

  /** Acts on a message of the host. */
  receive(message: HttpToGuest): void {
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

  /** Forgets the exchanges of a call; the host ends them by itself. */
  endCall(call: number): void {
    for (const [id, entry] of this.#entries.entries()) if (entry.call === call) this.#entries.delete(id);
  }
}
