/**
 * The gate of one version of a plugin to outbound HTTP. It checks every request against what the version may do at that
 * moment, and builds it anew, before the client looks for a connection.
 *
 * Invariants: a request is aborted as soon as it is no longer allowed. A request keeps its place among those in flight until
 * its connection is released, so a plugin that opens and drops requests has no more connections than one that waits.
 *
 * @module
 */

import type { HttpExchange, HttpFailure, HttpRequest, HttpSink } from "../../../contract/http.ts";
import { FIXED_LIMITS } from "../../../contract/limits.ts";
import type { HttpClient, OutboundRequest } from "../../../egress/outbound-http.ts";
import type { Terms } from "../../../policy/authority.ts";
import { createEgressRules, type EgressRules } from "../../../policy/egress-rules.ts";
import { isSpecialAddress } from "../../../policy/special-addresses.ts";
import { refuseLevel, usableMs } from "../../host-check.ts";
import type { CapabilityGate, GateKey, GateOptions, OperationContext } from "../../host-side.ts";
import { OUTBOUND_HTTP } from "../definition.ts";
import { BoundedExchange, type ExchangeOutcome } from "./bounded-exchange.ts";
import { type CheckedRequest, decideRequest, type HttpLimits } from "./http-request.ts";

export const OUTBOUND_HTTP_GATE: GateKey<HttpGate> = { capability: OUTBOUND_HTTP.name };

/** What sending one request needs of its call. */
interface HttpContext {
  /** Milliseconds until the exchange must have ended; 0 or less when its time is over. */
  readonly remainingMs: number;
  /** Takes a line for the plugin's log that says why a request was not sent. */
  readonly note: (text: string) => void;
}

/** The rules that follow from some terms. */
interface Reach {
  readonly terms: Terms;
  readonly rules: EgressRules;
}

/** A request in flight, with what a review of it needs. */
interface UnderWay {
  readonly request: OutboundRequest;
  readonly bounded: BoundedExchange;
  readonly context: HttpContext;
}

/** Checks and sends the outbound HTTP requests of one version. */
export class HttpGate implements CapabilityGate {
  readonly #parts: GateOptions;
  readonly #unwatch: () => void;
  readonly #exchanges = new Set<UnderWay>();
  #reach: Reach | undefined;
  #client: HttpClient | undefined;
  #underWay = 0;

  constructor(parts: GateOptions) {
    this.#parts = parts;
    this.#unwatch = parts.authority.watch(() => this.#review());
  }

  /** Checks the request and sends it. Never throws: for a refusal, it calls `sink.fail` at once. */
  open(asked: HttpRequest, sink: HttpSink, context: OperationContext): HttpExchange {
    if (refuseLevel(this.#parts.authority.now, OUTBOUND_HTTP.operations.request) !== undefined) {
      this.#count("HTTP-request-denied");
      sink.fail({ code: "HTTP-request-denied" });
      return NOTHING;
    }
    return this.#open(asked, sink, {
      remainingMs: usableMs(context.remainingMs()),
      note: (text) => context.note(text),
    });
  }

  async close(): Promise<void> {
    this.#unwatch();
    await this.#client?.[Symbol.asyncDispose]();
  }

  #open(asked: HttpRequest, sink: HttpSink, context: HttpContext): HttpExchange {
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

  #count(outcome: ExchangeOutcome): void {
    this.#parts.count("request", outcome);
  }

  get #limits(): HttpLimits {
    return this.#parts.authority.now.limits;
  }

  /** Made once for each change of the terms. */
  get #rules(): EgressRules {
    const terms = this.#parts.authority.now;
    if (this.#reach?.terms !== terms) this.#reach = { terms, rules: rulesOf(terms) };
    return this.#reach.rules;
  }

  /** The authority has changed: aborts the requests in flight that are no longer allowed, and shortens the others' times. */
  #review(): void {
    for (const { request, bounded, context } of this.#exchanges) {
      const decision = this.#rules.decide(request.target, request.method);
      // The gate does not know which address was dialled: it may be any that the rules allowed then.
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
    this.#parts.uses.countHost(request.target.origin, request.method);
    this.#client ??= this.#createClient();
    this.#underWay += 1;
    const bounded = new BoundedExchange({
      sink,
      limits: () => this.#limits,
      totalMs: context.remainingMs,
      onEnd: (outcome) => {
        this.#exchanges.delete(underWay);
        this.#count(outcome);
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
    const { drivers, uses } = this.#parts;
    const { httpConcurrency, httpHeaderBytes } = this.#limits;
    return drivers.http.createClient({
      concurrency: httpConcurrency,
      headerBytes: httpHeaderBytes,
      onConnect(target, address) {
        if (isSpecialAddress(address) && !isLocalhost(target)) uses.noteAddress(target, address);
      },
    });
  }

  #refuse(sink: HttpSink, failure: HttpFailure, reason: string, { note }: HttpContext): HttpExchange {
    note(`an outbound HTTP request was not sent: ${reason} (${failure.code})`);
    this.#count(failure.code);
    sink.fail(failure);
    return NOTHING;
  }
}

function rulesOf(terms: Terms): EgressRules {
  if (terms.kind === "denied") return createEgressRules([]);
  const [own, ...others] = terms.grants;
  return createEgressRules(own.hosts, ...others.map(({ hosts }) => hosts));
}

/** A policy that names `localhost` allows its addresses, too. */
function isLocalhost(target: string): boolean {
  return /^https?:\/\/localhost(?::|$)/.test(target);
}

/** The exchange of a request that was refused. */
const NOTHING: HttpExchange = {
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
    // A server that is silent for longer than it may take to begin is not expected to go on.
    betweenBytesMs: Math.min(asked.betweenBytesMs ?? Infinity, httpFirstByteMs),
  };
}
