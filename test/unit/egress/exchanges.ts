import type { HttpFailure, HttpField, HttpResponse, HttpSink } from "../../../src/contract/http.ts";
import type { HttpScheme } from "../../../src/policy/allowed-host.ts";
import type { HttpClient, OutboundExchange, OutboundRequest } from "../../../src/egress/outbound-http.ts";
import { createUndiciHttp, type UndiciHttpOptions } from "../../../src/egress/undici/client.ts";
import type { FoundAddresses } from "../../../src/egress/undici/resolver.ts";
import { createEgressRules } from "../../../src/policy/egress-rules.ts";
import { parseHttpTarget } from "../../../src/policy/http-target.ts";
import type { AllowedHost } from "../../../src/policy/policy.ts";

/** What a name server has told that needs no time. */
export function found(addresses: readonly string[]): Promise<FoundAddresses> {
  return Promise.resolve({ addresses, late: Promise.resolve([]) });
}

/** How an exchange ended. */
export type Ended =
  | { readonly kind: "end"; readonly trailers: readonly HttpField[] }
  | { readonly kind: "fail"; readonly failure: HttpFailure };

/** A sink that keeps what it is told and reads on by itself unless it is told to hold. */
export class Receiver implements HttpSink {
  readonly chunks: Buffer[] = [];
  readonly #ended = Promise.withResolvers<Ended>();
  readonly #responded = Promise.withResolvers<HttpResponse>();
  readonly #changes: (() => void)[] = [];
  exchange: OutboundExchange | undefined;
  reads: "on" | "held" = "on";
  wantedBytes = 0;

  get ended(): Promise<Ended> {
    return this.#ended.promise;
  }

  get responded(): Promise<HttpResponse> {
    return this.#responded.promise;
  }

  get body(): Buffer {
    return Buffer.concat(this.chunks);
  }

  /** Waits until something was told that makes `condition` hold. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#changes.push(resolve));
  }

  wanted(bytes: number): void {
    this.wantedBytes += bytes;
    this.#changed();
  }

  response(response: HttpResponse): void {
    this.#responded.resolve(response);
    this.#changed();
  }

  chunk(bytes: Uint8Array): void {
    this.chunks.push(Buffer.from(bytes));
    if (this.reads === "on") this.exchange?.read(bytes.length);
    this.#changed();
  }

  end(trailers: readonly HttpField[]): void {
    this.#ended.resolve({ kind: "end", trailers });
    this.#changed();
  }

  fail(failure: HttpFailure): void {
    this.#ended.resolve({ kind: "fail", failure });
    this.#changed();
  }

  #changed(): void {
    for (const wake of this.#changes.splice(0)) wake();
  }
}

/** A client and the rules that its requests are sent under. */
export class Sender implements AsyncDisposable {
  readonly client: HttpClient;
  /** What was told of connections. */
  readonly connected: string[] = [];
  readonly #hosts: readonly AllowedHost[];

  constructor(hosts: readonly AllowedHost[], options: UndiciHttpOptions = {}, headerBytes = 32 * 1024) {
    this.#hosts = hosts;
    this.client = createUndiciHttp(options).createClient({
      concurrency: 4,
      headerBytes,
      onConnect: (target, address) => this.connected.push(`${target} at ${address}`),
    });
  }

  /** Sends a request that the rules allow, as the broker would have checked it. */
  open(url: string, change: Partial<OutboundRequest> = {}, reads: Receiver["reads"] = "on"): Receiver {
    const [scheme = "", rest = ""] = url.split("://");
    const slash = rest.indexOf("/");
    const target = parseHttpTarget(scheme as HttpScheme, rest.slice(0, slash));
    if (target === undefined) throw new TypeError(`${url} is not a URL`);
    const method = change.method ?? "GET";
    const decision = createEgressRules(this.#hosts).decide(target, method);
    if (decision.kind === "refused") throw new TypeError(decision.reason);
    const receiver = new Receiver();
    receiver.reads = reads;
    receiver.exchange = this.client.open(
      {
        target,
        method,
        path: rest.slice(slash),
        fields: [],
        body: { kind: "none" },
        dial: decision.dial,
        connectMs: 30_000,
        firstByteMs: 30_000,
        betweenBytesMs: 30_000,
        ...change,
      },
      receiver,
    );
    return receiver;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
  }
}
