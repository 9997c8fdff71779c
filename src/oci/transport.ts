/**
 * One HTTP exchange with a registry, redirects included, as a coded error or an answer.
 *
 * What is sent where is decided here. `authorization` goes to the host that it is for and to no other. A redirect is followed by
 * hand: never from https to http, never to an address that may not be dialled (see `dispatchers.ts`), and a limited number.
 * Plain HTTP is spoken only with hosts that the operator names.
 *
 * @module
 */

import type { Readable } from "node:stream";
import { request, type Dispatcher } from "undici";
import { FIXED_LIMITS } from "../contract/limits.ts";
import { HostError } from "../errors/host-error.ts";
import { type DispatcherOptions, Dispatchers } from "./dispatchers.ts";
import { describeTransportFailure } from "./failures.ts";

export interface TransportOptions extends DispatcherOptions {
  /** Hosts (`host` or `host:port`) to speak plain HTTP with. */
  readonly plainHttpHosts?: readonly string[];
  /** Names this program to registries. */
  readonly userAgent: string;
}

export interface TransportRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT";
  readonly url: URL;
  /** The registry that is asked, as the operator names it: `host` or `host:port`. */
  readonly registry: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** For the origin of `url`: never sent to another one. */
  readonly authorization?: string | undefined;
  /** Made anew each time it is sent. */
  readonly body?: () => Readable | Uint8Array | string;
  readonly signal: AbortSignal;
}

/** An answer whose body has not been read. Whoever gets it reads or discards it. */
export interface TransportAnswer {
  readonly status: number;
  /** The URL that answered, behind all redirects. */
  readonly url: URL;
  header(name: string): string | undefined;
  readonly body: Dispatcher.ResponseData["body"];
}

/** Redirects that a request follows, which is sent again as it was. */
const REDIRECTS: Readonly<Record<TransportRequest["method"], readonly number[]>> = {
  GET: [301, 302, 303, 307, 308],
  HEAD: [301, 302, 303, 307, 308],
  PUT: [307, 308],
  POST: [],
};

/** The hosts that Docker Hub's name stands for. */
const API_HOSTS: Readonly<Record<string, string>> = {
  "docker.io": "registry-1.docker.io",
  "index.docker.io": "registry-1.docker.io",
};

export class Transport implements AsyncDisposable {
  readonly #dispatchers: Dispatchers;
  readonly #plainHttp: ReadonlySet<string>;
  readonly #userAgent: string;

  constructor({ plainHttpHosts = [], userAgent, ...options }: TransportOptions) {
    this.#dispatchers = new Dispatchers(options);
    this.#plainHttp = new Set(plainHttpHosts);
    this.#userAgent = userAgent;
  }

  /** The URL of a path of the registry's API. */
  url(registry: string, path: string): URL {
    const host = API_HOSTS[registry] ?? registry;
    return new URL(`${this.#plainHttp.has(registry) ? "http" : "https"}://${host}${path}`);
  }

  /**
   * The URL that a registry leads to from `base`, if it may be followed. Throws `registry-redirect-refused` and
   * `registry-content-wrong`.
   */
  follow(base: URL, location: string | undefined): URL {
    const url = location === undefined ? null : URL.parse(location, base);
    if (url === null) throw new HostError("registry-content-wrong", `${base.host} redirects without saying where to`);
    this.expectAllowed(url, base);
    url.username = "";
    url.password = "";
    url.hash = "";
    return url;
  }

  /** Throws `registry-redirect-refused` where a registry leads to a scheme that is not spoken with that host. */
  expectAllowed(url: URL, base: URL): void {
    if (url.protocol === "https:") return;
    const isFromTls = base.protocol === "https:";
    const isKnown = this.#plainHttp.has(url.host) || url.host === base.host;
    if (url.protocol === "http:" && !isFromTls && isKnown) return;
    const way = isFromTls
      ? "from TLS it may lead to https alone"
      : "--registry-plain-http names the hosts of plain HTTP";
    throw new HostError(
      "registry-redirect-refused",
      `${base.host} leads to ${url.protocol}//${url.host}, which is not https; ${way}`,
    );
  }

  /**
   * Sends a request and follows its redirects. Rejects with `registry-unreachable` or `registry-redirect-refused`, and with the
   * signal's reason.
   */
  async send(wanted: TransportRequest): Promise<TransportAnswer> {
    let { url } = wanted;
    for (let redirects = 0; redirects <= FIXED_LIMITS.registryRedirects; redirects += 1) {
      const answer = await this.#sendOnce(wanted, url);
      if (!REDIRECTS[wanted.method].includes(answer.status)) return answer;
      discard(answer);
      url = this.follow(url, answer.header("location"));
    }
    throw new HostError(
      "registry-redirect-refused",
      `${wanted.registry} redirected more than ${FIXED_LIMITS.registryRedirects} times`,
    );
  }

  async #sendOnce(wanted: TransportRequest, url: URL): Promise<TransportAnswer> {
    const { registry, method, headers = {}, authorization, body, signal } = wanted;
    const own = this.url(registry, "/");
    // It throws where the address may not be dialled.
    const dispatcher = this.#dispatchers.for(url, url.host === own.host ? "named" : "led-to", own);
    try {
      const answer = await request(url, {
        method,
        dispatcher,
        signal,
        headers: {
          "user-agent": this.#userAgent,
          ...headers,
          ...(authorization !== undefined && url.origin === wanted.url.origin && { authorization }),
        },
        ...(body !== undefined && { body: body() }),
      });
      const { statusCode: status, headers: fields } = answer;
      const header = (name: string): string | undefined => [fields[name] ?? []].flat()[0];
      return { status, url, header, body: answer.body };
    } catch (error) {
      throw describeTransportFailure(error, url.host, signal);
    }
  }

  /** Ends all exchanges. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispatchers[Symbol.asyncDispose]();
  }
}

/** Lets an answer's body go unread: a short one is read to its end, so that the connection can be used again. */
export function discard({ body }: TransportAnswer): void {
  body.dump({ limit: FIXED_LIMITS.registryTokenBytes }).catch(() => undefined);
}

/** A whole body of at most `maxBytes`. Throws `registry-content-wrong` where it is longer, `registry-unreachable` where it breaks off. */
export async function readWhole(
  { body, url }: TransportAnswer,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes)
        throw new HostError(
          "registry-content-wrong",
          `${url.host} sent more than ${maxBytes} bytes for ${url.pathname}`,
        );
      chunks.push(chunk);
    }
  } catch (error) {
    throw describeTransportFailure(error, url.host, signal);
  }
  return Buffer.concat(chunks);
}
