/**
 * The outbound HTTP requests of a runner's calls: from a guest's request to messages and from messages to what
 * the guest waits for. What the host says of an exchange that has ended here is ignored: it was on its way.
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

/** What a call may do with outbound HTTP. */
export interface OutboundHttpPort {
  /**
   * Sends a request, or says why not: the call may not, or it has sent as many as one may. Those that are given up at once
   * count too: they cost the host as much. Never throws.
   */
  open(request: HttpRequest, sink: HttpSink): HttpExchange | HttpErrorCode;
}

export const OUTBOUND_HTTP_PORT: PortKey<OutboundHttpPort> = { capability: OUTBOUND_HTTP.name };

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

  /** Acts on what the host says of an exchange. */
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

  /** Forgets what a call has left behind; the host ends it by itself. */
  endCall(call: number): void {
    for (const [id, entry] of this.#entries.entries()) if (entry.call === call) this.#entries.delete(id);
  }
}
