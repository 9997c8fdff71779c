/**
 * The host's side of outbound HTTP: every request is checked against the grant and made anew here, before a
 * connection is looked for. What a request may cost is bounded here too: how many are under way, the bytes of
 * both bodies, the time of the whole.
 *
 * Invariant: a request keeps its place among those under way until its connection is let go of, so a plugin that
 * opens and drops requests has no more connections than one that waits.
 *
 * @module
 */

import type {
  HttpErrorCode,
  HttpExchange,
  HttpFailure,
  HttpField,
  HttpRequest,
  HttpResponse,
  HttpSink,
} from "../contract/http.ts";
import { FIXED_LIMITS } from "../contract/limits.ts";
import type { HttpClient, OutboundExchange, OutboundHttp, OutboundRequest } from "../egress/outbound-http.ts";
import { createEgressRules, type EgressRules } from "../policy/egress-rules.ts";
import type { Grant } from "../policy/policy.ts";
import { isSpecialAddress } from "../policy/special-addresses.ts";
import { type CheckedRequest, decideRequest, type HttpLimits } from "./http-request.ts";

export interface HttpGateOptions {
  readonly grant: Grant;
  readonly limits: HttpLimits;
  readonly http: OutboundHttp;
  /** Told how each exchange ended; must not throw. */
  readonly onEnd: (outcome: "ok" | "aborted" | HttpErrorCode) => void;
  /** Told of each request that is sent; must not throw. */
  readonly onSend: (target: string, method: string) => void;
  /** Told where a target's name led, if that is not of the internet; must not throw. Not of what `localhost` stands for. */
  readonly onSpecialAddress: (target: string, address: string) => void;
}

/** One request as the gate needs to know it. */
export interface HttpContext {
  /** Milliseconds until the exchange must have ended; 0 or less when its time is over. */
  readonly remainingMs: number;
  /** Takes a line for the plugin's log that says why a request was not sent. */
  readonly note: (text: string) => void;
}

/** What a plugin that holds the access level may do with it. */
export class HttpGate implements AsyncDisposable {
  readonly #options: HttpGateOptions;
  readonly #rules: EgressRules;
  #client: HttpClient | undefined;
  #underWay = 0;

  constructor(options: HttpGateOptions) {
    this.#options = options;
    this.#rules = createEgressRules(options.grant.hosts);
  }

  /** Checks the request and sends it. Never throws: a refusal is told to the sink, at once. */
  open(asked: HttpRequest, sink: HttpSink, context: HttpContext): HttpExchange {
    const { limits } = this.#options;
    const decision = decideRequest(this.#rules, limits, asked);
    if (decision.kind === "refused") return this.#refuse(sink, decision.failure, decision.reason, context);
    if (this.#underWay >= limits.httpConcurrency) {
      const reason = `${limits.httpConcurrency} requests of the plugin are under way`;
      return this.#refuse(sink, { code: "connection-limit-reached" }, reason, context);
    }
    const totalMs = Math.min(limits.httpTotalMs, context.remainingMs);
    if (totalMs <= 0)
      return this.#refuse(sink, { code: "HTTP-response-timeout" }, "the request's time is over", context);
    return this.#send(timed(decision.request, asked, limits), sink, totalMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.[Symbol.asyncDispose]();
  }

  #send(request: OutboundRequest, sink: HttpSink, totalMs: number): HttpExchange {
    const { limits, onEnd, onSend } = this.#options;
    onSend(request.target.origin, request.method);
    this.#client ??= this.#createClient();
    this.#underWay += 1;
    const bounded = new BoundedExchange({ sink, limits, totalMs, onEnd });
    const exchange = this.#client.open(request, bounded);
    bounded.attach(exchange);
    void exchange.closed.then(() => (this.#underWay -= 1));
    return bounded;
  }

  #createClient(): HttpClient {
    const { limits, http, onSpecialAddress } = this.#options;
    return http.createClient({
      concurrency: limits.httpConcurrency,
      headerBytes: limits.httpHeaderBytes,
      onConnect(target, address) {
        if (isSpecialAddress(address) && !isLocalhost(target)) onSpecialAddress(target, address);
      },
    });
  }

  #refuse(sink: HttpSink, failure: HttpFailure, reason: string, { note }: HttpContext): HttpExchange {
    note(`an outbound HTTP request was not sent: ${reason} (${failure.code})`);
    this.#options.onEnd(failure.code);
    sink.fail(failure);
    return NOTHING;
  }
}

/** Naming it in a policy opens what it stands for. */
function isLocalhost(target: string): boolean {
  return /^https?:\/\/localhost(?::|$)/.test(target);
}

/** The exchange of a request that was refused. */
export const NOTHING: HttpExchange = {
  write: () => undefined,
  finish: () => undefined,
  read: () => undefined,
  abort: () => undefined,
};

function timed(request: CheckedRequest, asked: HttpRequest, { httpFirstByteMs }: HttpLimits): OutboundRequest {
  return {
    ...request,
    connectMs: Math.min(asked.connectMs ?? Infinity, FIXED_LIMITS.httpConnectMs),
    firstByteMs: Math.min(asked.firstByteMs ?? Infinity, httpFirstByteMs),
    // A server that is silent for longer than it may take to begin is not coming back.
    betweenBytesMs: Math.min(asked.betweenBytesMs ?? Infinity, httpFirstByteMs),
  };
}

interface BoundedParts {
  readonly sink: HttpSink;
  readonly limits: HttpLimits;
  readonly totalMs: number;
  readonly onEnd: HttpGateOptions["onEnd"];
}

/** Counts the bytes of both bodies and the time, and ends the exchange where one is used up. */
class BoundedExchange implements HttpExchange, HttpSink {
  readonly #parts: BoundedParts;
  readonly #timer: NodeJS.Timeout;
  #exchange: OutboundExchange | undefined;
  #sentBytes = 0;
  #receivedBytes = 0;
  #state: "open" | "ended" = "open";

  constructor(parts: BoundedParts) {
    this.#parts = parts;
    this.#timer = setTimeout(() => this.#stop({ code: "HTTP-response-timeout" }), parts.totalMs);
  }

  /** Once, right after it was opened. */
  attach(exchange: OutboundExchange): void {
    this.#exchange = exchange;
  }

  write(bytes: Uint8Array): void {
    if (this.#state === "ended") return;
    this.#sentBytes += bytes.length;
    if (this.#sentBytes > this.#parts.limits.httpRequestBytes)
      this.#stop({ code: "HTTP-request-body-size", bytes: this.#sentBytes });
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
    if (this.#state === "open") this.#parts.sink.response(response);
  }

  chunk(bytes: Uint8Array): void {
    if (this.#state === "ended") return;
    this.#receivedBytes += bytes.length;
    if (this.#receivedBytes > this.#parts.limits.httpResponseBytes)
      this.#stop({ code: "HTTP-response-body-size", bytes: this.#receivedBytes });
    else this.#parts.sink.chunk(bytes);
  }

  end(trailers: readonly HttpField[]): void {
    if (this.#end("ok")) this.#parts.sink.end(trailers);
  }

  fail(failure: HttpFailure): void {
    if (this.#end(failure.code)) this.#parts.sink.fail(failure);
  }

  #stop(failure: HttpFailure): void {
    this.fail(failure);
    this.#exchange?.abort();
  }

  #end(outcome: Parameters<HttpGateOptions["onEnd"]>[0]): boolean {
    if (this.#state === "ended") return false;
    this.#state = "ended";
    clearTimeout(this.#timer);
    this.#parts.onEnd(outcome);
    return true;
  }
}
