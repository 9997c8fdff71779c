/**
 * The host's side of outbound HTTP: every request is checked against what its version may do at that moment, and made
 * anew here, before a connection is looked for.
 *
 * Invariants: a request that is no longer allowed is broken off when it ceases to be; one keeps its place among those
 * in flight until its connection is released, so a plugin that opens and drops requests has no more connections than
 * one that waits.
 *
 * @module
 */

import type { HttpErrorCode, HttpExchange, HttpFailure, HttpRequest, HttpSink } from "../contract/http.ts";
import { FIXED_LIMITS } from "../contract/limits.ts";
import type { HttpClient, OutboundHttp, OutboundRequest } from "../egress/outbound-http.ts";
import type { Authority, Terms } from "../policy/authority.ts";
import { createEgressRules, type EgressRules } from "../policy/egress-rules.ts";
import { isSpecialAddress } from "../policy/special-addresses.ts";
import { BoundedExchange } from "./bounded-exchange.ts";
import { type CheckedRequest, decideRequest, type HttpLimits } from "./http-request.ts";

export interface HttpGateOptions {
  readonly authority: Authority;
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

/** What may be sent under some terms. */
interface Reach {
  readonly terms: Terms;
  readonly rules: EgressRules;
}

/** A request in flight, and what it was allowed by. */
interface UnderWay {
  readonly request: OutboundRequest;
  readonly bounded: BoundedExchange;
  readonly context: HttpContext;
}

/** What a plugin that holds the access level may do with it. */
export class HttpGate implements AsyncDisposable {
  readonly #options: HttpGateOptions;
  readonly #unwatch: () => void;
  readonly #exchanges = new Set<UnderWay>();
  #reach: Reach | undefined;
  #client: HttpClient | undefined;
  #underWay = 0;

  constructor(options: HttpGateOptions) {
    this.#options = options;
    this.#unwatch = options.authority.watch(() => this.#review());
  }

  /** Checks the request and sends it. Never throws: a refusal is told to the sink, at once. */
  open(asked: HttpRequest, sink: HttpSink, context: HttpContext): HttpExchange {
    const limits = this.#limits;
    const decision = decideRequest(this.#rules, limits, asked);
    if (decision.kind === "refused") return this.#refuse(sink, decision.failure, decision.reason, context);
    if (this.#underWay >= limits.httpConcurrency) {
      const reason = `${limits.httpConcurrency} requests of the plugin are in flight`;
      return this.#refuse(sink, { code: "connection-limit-reached" }, reason, context);
    }
    const totalMs = Math.min(limits.httpTotalMs, context.remainingMs);
    if (totalMs <= 0)
      return this.#refuse(sink, { code: "HTTP-response-timeout" }, "the request's time is over", context);
    return this.#send(timed(decision.request, asked, limits), sink, { ...context, remainingMs: totalMs });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#unwatch();
    await this.#client?.[Symbol.asyncDispose]();
  }

  get #limits(): HttpLimits {
    return this.#options.authority.now.limits;
  }

  /** They are read once for each change of what is allowed. */
  get #rules(): EgressRules {
    const terms = this.#options.authority.now;
    if (this.#reach?.terms !== terms) this.#reach = { terms, rules: rulesOf(terms) };
    return this.#reach.rules;
  }

  /** What is allowed has changed: requests in flight that are no longer are broken off, and times may be shorter. */
  #review(): void {
    for (const { request, bounded, context } of this.#exchanges) {
      const decision = this.#rules.decide(request.target, request.method);
      // The address that it was dialled at is not known here: it may have been any that the rules let through.
      if (decision.kind === "allowed" && decision.dial.key === request.dial.key)
        bounded.shorten(this.#limits.httpTotalMs);
      else {
        const reason = decision.kind === "refused" ? decision.reason : "the policy names fewer of its addresses now";
        context.note(`an outbound HTTP request was broken off: ${reason} (HTTP-request-denied)`);
        bounded.stop({ code: "HTTP-request-denied" });
      }
    }
  }

  #send(request: OutboundRequest, sink: HttpSink, context: HttpContext): HttpExchange {
    const { onEnd, onSend } = this.#options;
    onSend(request.target.origin, request.method);
    this.#client ??= this.#createClient();
    this.#underWay += 1;
    const bounded = new BoundedExchange({
      sink,
      limits: () => this.#limits,
      totalMs: context.remainingMs,
      onEnd: (outcome) => {
        this.#exchanges.delete(underWay);
        onEnd(outcome);
      },
    });
    const underWay: UnderWay = { request, bounded, context };
    this.#exchanges.add(underWay);
    const exchange = this.#client.open(request, bounded);
    bounded.attach(exchange);
    void exchange.closed.then(() => (this.#underWay -= 1));
    return bounded;
  }

  #createClient(): HttpClient {
    const { http, onSpecialAddress } = this.#options;
    const { httpConcurrency, httpHeaderBytes } = this.#limits;
    return http.createClient({
      concurrency: httpConcurrency,
      headerBytes: httpHeaderBytes,
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

function rulesOf(terms: Terms): EgressRules {
  if (terms.kind === "denied") return createEgressRules([]);
  const [own, ...others] = terms.grants;
  return createEgressRules(own.hosts, ...others.map(({ hosts }) => hosts));
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
