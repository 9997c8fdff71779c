/**
 * The outbound HTTP requests of one runner, seen from the host: from its messages to the calls they belong to,
 * and back. The runner is not trusted: a number that was used before or never, a byte more than it may send, or
 * a request for more than a window holds is a {@link FrameError}, which ends it.
 *
 * Invariant: an exchange ends at the latest with its call; nothing of it is sent to the runner after that.
 *
 * @module
 */

import { FrameError } from "../channel/codec.ts";
import type { HttpHostMessage, HttpRunnerMessage } from "../channel/http-messages.ts";
import type { HttpExchange, HttpSink } from "../contract/http.ts";
import { FIXED_LIMITS } from "../contract/limits.ts";
import type { RunnerCall } from "./runner-call.ts";

interface Entry {
  readonly call: number;
  exchange: HttpExchange | undefined;
  /** Bytes of the request's body that the runner may still send. */
  writableBytes: number;
  /** Bytes of the response's body that may still be sent to the runner. */
  readableBytes: number;
}

type HttpRequestMessage = Extract<HttpRunnerMessage, { kind: "http-request" }>;

export class HttpExchanges {
  readonly #send: (message: HttpHostMessage) => void;
  readonly #entries = new Map<number, Entry>();
  #lastId = 0;

  constructor(send: (message: HttpHostMessage) => void) {
    this.#send = send;
  }

  /** Opens an exchange of a call; `undefined` where the call has ended and the request may have been on its way. */
  open({ call: callId, exchange: id, request }: HttpRequestMessage, call: RunnerCall | undefined): void {
    // Numbers go up and around, so half of them are ahead of the last one.
    if ((id - this.#lastId) >> 0 <= 0) throw new FrameError(`exchange ${id} was started twice`);
    this.#lastId = id;
    if (call === undefined) return;
    const window = FIXED_LIMITS.httpWindowBytes;
    const entry: Entry = { call: callId, exchange: undefined, writableBytes: window, readableBytes: window };
    this.#entries.set(id, entry);
    const exchange = call.openHttp(request, this.#sink(id, entry));
    entry.exchange = exchange;
  }

  /** Acts on what the runner says of an exchange. */
  receive(message: Exclude<HttpRunnerMessage, HttpRequestMessage>): void {
    const entry = this.#entries.get(message.exchange);
    if (entry === undefined) {
      if ((message.exchange - this.#lastId) >> 0 > 0)
        throw new FrameError(`message for exchange ${message.exchange}, which was never started`);
      return;
    }
    switch (message.kind) {
      case "http-body":
        entry.writableBytes -= message.bytes.length;
        if (entry.writableBytes < 0) throw new FrameError("more of a request's body than was wanted");
        // A copy: the frame is a view of a chunk that may be much larger.
        entry.exchange?.write(Buffer.from(message.bytes));
        break;
      case "http-finish":
        entry.exchange?.finish();
        break;
      case "http-read":
        entry.readableBytes += message.bytes;
        if (entry.readableBytes > FIXED_LIMITS.httpWindowBytes)
          throw new FrameError("a request for more of a response's body than a window holds");
        entry.exchange?.read(message.bytes);
        break;
      case "http-abort":
        this.#entries.delete(message.exchange);
        entry.exchange?.abort();
        break;
    }
  }

  /** Aborts what a call has left behind. */
  endCall(call: number): void {
    for (const [id, entry] of this.#entries) if (entry.call === call) this.#abort(id, entry);
  }

  /** Aborts everything. */
  endAll(): void {
    for (const [id, entry] of this.#entries) this.#abort(id, entry);
  }

  #abort(id: number, entry: Entry): void {
    this.#entries.delete(id);
    entry.exchange?.abort();
  }

  #sink(exchange: number, entry: Entry): HttpSink {
    const isOpen = (): boolean => this.#entries.get(exchange) === entry;
    return {
      wanted: (bytes) => {
        if (!isOpen()) return;
        entry.writableBytes += bytes;
        this.#send({ kind: "http-wanted", exchange, bytes });
      },
      response: (response) => {
        if (isOpen()) this.#send({ kind: "http-response", exchange, response });
      },
      chunk: (bytes) => {
        if (!isOpen()) return;
        entry.readableBytes -= bytes.length;
        this.#send({ kind: "http-chunk", exchange, bytes });
      },
      end: (trailers) => {
        if (this.#entries.delete(exchange)) this.#send({ kind: "http-end", exchange, trailers });
      },
      fail: (failure) => {
        if (this.#entries.delete(exchange)) this.#send({ kind: "http-failed", exchange, failure });
      },
    };
  }
}
