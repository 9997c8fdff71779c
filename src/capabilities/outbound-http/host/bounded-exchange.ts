/**
 * One exchange within its bounds: on the bytes of both bodies and of the response's header, and on the total time. Beyond a
 * bound, the exchange ends. The bounds are those in force at each moment: they may become lower meanwhile.
 *
 * @module
 */

import {
  type HttpErrorCode,
  type HttpExchange,
  type HttpFailure,
  type HttpField,
  httpFieldBytes,
  type HttpResponse,
  type HttpSink,
} from "../../../contract/http.ts";
import type { OutboundExchange } from "../../../egress/outbound-http.ts";
import type { HttpLimits } from "./http-request.ts";

/** How an exchange ended. */
export type ExchangeOutcome = "ok" | "aborted" | HttpErrorCode;

export interface BoundedExchangeOptions {
  readonly sink: HttpSink;
  /** The limits in force at the moment of the call. */
  readonly limits: () => HttpLimits;
  /** The time for the whole exchange, in milliseconds. */
  readonly totalMs: number;
  /** Called once, with the outcome; must not throw. */
  readonly onEnd: (outcome: ExchangeOutcome) => void;
}

/** Counts the bytes of both bodies and the time, and ends the exchange beyond a bound. */
export class BoundedExchange implements HttpExchange, HttpSink {
  readonly #parts: BoundedExchangeOptions;
  readonly #beganMs = performance.now();
  #timer: NodeJS.Timeout;
  #exchange: OutboundExchange | undefined;
  #sentBytes = 0;
  #receivedBytes = 0;
  #state: "open" | "ended" = "open";

  constructor(parts: BoundedExchangeOptions) {
    this.#parts = parts;
    this.#timer = this.#timeOut(parts.totalMs);
  }

  /** Called once, right after the exchange was opened. */
  attach(exchange: OutboundExchange): void {
    this.#exchange = exchange;
  }

  /** Reduces the time for the whole exchange to `totalMs`, if that is less. */
  shorten(totalMs: number): void {
    if (this.#state === "ended" || totalMs >= this.#parts.totalMs) return;
    clearTimeout(this.#timer);
    this.#timer = this.#timeOut(Math.max(0, totalMs - (performance.now() - this.#beganMs)));
  }

  /** Ends the exchange with this failure, unless it has ended. */
  stop(failure: HttpFailure): void {
    if (this.#state === "ended") return;
    this.fail(failure);
    this.#exchange?.abort();
  }

  write(bytes: Uint8Array): void {
    if (this.#state === "ended") return;
    this.#sentBytes += bytes.length;
    if (this.#sentBytes > this.#parts.limits().httpRequestBytes)
      this.stop({ code: "HTTP-request-body-size", bytes: this.#sentBytes });
    else this.#exchange?.write(bytes);
  }

  finish(): void {
    if (this.#state === "open") this.#exchange?.finish();
  }

  read(bytes: number): void {
    if (this.#state === "open") this.#exchange?.read(bytes);
  }

  abort(): void {
    if (this.#end("aborted")) this.#exchange?.abort();
  }

  wanted(bytes: number): void {
    if (this.#state === "open") this.#parts.sink.wanted(bytes);
  }

  response(response: HttpResponse): void {
    if (this.#state === "ended") return;
    // The client keeps the bound that it was made with, which may be higher.
    const bytes = httpFieldBytes(response.fields);
    if (bytes > this.#parts.limits().httpHeaderBytes) this.stop({ code: "HTTP-response-header-section-size", bytes });
    else this.#parts.sink.response(response);
  }

  chunk(bytes: Uint8Array): void {
    if (this.#state === "ended") return;
    this.#receivedBytes += bytes.length;
    if (this.#receivedBytes > this.#parts.limits().httpResponseBytes)
      this.stop({ code: "HTTP-response-body-size", bytes: this.#receivedBytes });
    else this.#parts.sink.chunk(bytes);
  }

  end(trailers: readonly HttpField[]): void {
    if (this.#end("ok")) this.#parts.sink.end(trailers);
  }

  fail(failure: HttpFailure): void {
    if (this.#end(failure.code)) this.#parts.sink.fail(failure);
  }

  #timeOut(afterMs: number): NodeJS.Timeout {
    return setTimeout(() => this.stop({ code: "HTTP-response-timeout" }), afterMs);
  }

  #end(outcome: ExchangeOutcome): boolean {
    if (this.#state === "ended") return false;
    this.#state = "ended";
    clearTimeout(this.#timer);
    this.#parts.onEnd(outcome);
    return true;
  }
}
