/**
 * Outbound HTTP by undici, HTTP/1.1. Each client has agents of its own, one for each set of addresses that its
 * requests may dial: a connection is only ever used again by a request that might have opened it.
 *
 * An agent keeps connections to an origin while they are used and a little longer, and forgets the origin after.
 *
 * @module
 */

import { Agent } from "undici";
import type { HttpSink } from "../../contract/http.ts";
import { FIXED_LIMITS } from "../../contract/limits.ts";
import type { DialRules } from "../../policy/egress-rules.ts";
import type {
  HttpClient,
  HttpClientOptions,
  OutboundExchange,
  OutboundHttp,
  OutboundRequest,
} from "../outbound-http.ts";
import { createConnector } from "./connector.ts";
import { UndiciExchange } from "./exchange.ts";
import { LookUps } from "./look-ups.ts";
import { createResolver, type Resolve } from "./resolver.ts";

/** What tests replace. */
export interface UndiciHttpOptions {
  readonly resolve?: Resolve;
  /** Certificates to trust instead of Node's own. */
  readonly ca?: string;
}

/** Makes the driver. It holds nothing: what is open belongs to its clients. */
export function createUndiciHttp({ resolve = createResolver(), ca }: UndiciHttpOptions = {}): OutboundHttp {
  const connectorOptions = { resolve, ...(ca !== undefined && { ca }) };
  return {
    createClient: (options) =>
      new UndiciClient(
        options,
        (dial, lookUps) =>
          new Agent({
            connect: createConnector({ ...connectorOptions, dial, lookUps, onConnect: options.onConnect }),
            connections: options.concurrency,
            maxOrigins: FIXED_LIMITS.httpOrigins,
            maxHeaderSize: options.headerBytes,
            pipelining: 1,
            allowH2: false,
            keepAliveTimeout: FIXED_LIMITS.httpIdleMs,
            keepAliveMaxTimeout: FIXED_LIMITS.httpIdleMs,
            strictContentLength: true,
          }),
      ),
  };
}

type CreateAgent = (dial: DialRules, lookUps: LookUps) => Agent;

class UndiciClient implements HttpClient {
  readonly #options: HttpClientOptions;
  readonly #createAgent: CreateAgent;
  readonly #agents = new Map<string, Agent>();
  readonly #lookUps = new LookUps();

  constructor(options: HttpClientOptions, createAgent: CreateAgent) {
    this.#options = options;
    this.#createAgent = createAgent;
  }

  open(request: OutboundRequest, sink: HttpSink): OutboundExchange {
    const { headerBytes } = this.#options;
    const dispatcher = this.#agent(request.dial);
    const isLookedUp = (): boolean => this.#lookUps.has(request.target.origin);
    const exchange = new UndiciExchange({ request, sink, dispatcher, headerBytes, isLookedUp });
    exchange.start();
    return exchange;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const agents = [...this.#agents.values()];
    this.#agents.clear();
    await Promise.all(agents.map((agent) => agent.destroy()));
  }

  /** There are at most as many as the policy has subsets of blocks that apply together: a few. */
  #agent(dial: DialRules): Agent {
    let agent = this.#agents.get(dial.key);
    if (agent === undefined) {
      agent = this.#createAgent(dial, this.#lookUps);
      this.#agents.set(dial.key, agent);
    }
    return agent;
  }
}
