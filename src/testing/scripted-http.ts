/**
 * The HTTP servers of a test: each request gets what the scene that is on has for it, at the pace at which the plugin reads.
 * A request that the scene does not have is refused as by a port on which nothing listens.
 *
 * No name is looked up and no address dialled, so what a policy says of addresses is not applied; what it says of targets and
 * methods is, before a request gets here.
 *
 * @module
 */

import type { ScriptedExchange } from "../config/test-case.ts";
import { type HttpErrorCode, type HttpField, type HttpSink, isHostsField } from "../contract/http.ts";
import { FIXED_LIMITS } from "../contract/limits.ts";
import type { HttpClient, OutboundExchange, OutboundHttp, OutboundRequest } from "../egress/outbound-http.ts";
import type { SentRequest } from "./scene-exchanges.ts";
import type { Scene, Stage } from "./scene.ts";

/** Makes clients that get the answers of the scene that is on. */
export function createScriptedHttp(stage: Stage): OutboundHttp {
  return { createClient: () => new SceneClient(stage) };
}

class SceneClient implements HttpClient {
  readonly #stage: Stage;
  readonly #open = new Set<SceneExchange>();

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  open(request: OutboundRequest, sink: HttpSink): OutboundExchange {
    const exchange = new SceneExchange(request, sink, this.#stage.scene);
    this.#open.add(exchange);
    void exchange.closed.then(() => this.#open.delete(exchange));
    return exchange;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const exchange of this.#open) exchange.abort();
  }
}

class SceneExchange implements OutboundExchange {
  readonly closed: Promise<void>;
  readonly #request: OutboundRequest;
  readonly #sink: HttpSink;
  readonly #scene: Scene;
  readonly #scripted: ScriptedExchange | undefined;
  readonly #close: () => void;
  readonly #sent: Uint8Array[] = [];
  /** Bytes of the response's body that may be told now. */
  #credit: number = FIXED_LIMITS.httpWindowBytes;
  #left: Uint8Array[] = [];
  #state: "request" | "waiting" | "response" | "ended" = "request";

  constructor(request: OutboundRequest, sink: HttpSink, scene: Scene) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#close = resolve;
    this.#request = request;
    this.#sink = sink;
    this.#scene = scene;
    const url = `${request.target.origin}${request.path}`;
    this.#scripted = scene.exchanges.take(request.method, url, () => this.#sentRequest(url));
    if (request.body.kind === "none") this.finish();
  }

  write(bytes: Uint8Array): void {
    if (this.#state !== "request") return;
    this.#sent.push(bytes);
    // Its taker has room at once; the gate bounds the whole.
    queueMicrotask(() => {
      if (this.#state !== "ended") this.#sink.wanted(bytes.length);
    });
  }

  finish(): void {
    if (this.#state !== "request") return;
    this.#state = "waiting";
    void this.#answer();
  }

  read(bytes: number): void {
    this.#credit += bytes;
    if (this.#state === "response") this.#tell();
  }

  abort(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#left = [];
    this.#close();
  }

  #sentRequest(url: string): SentRequest {
    return { method: this.#request.method, url, fields: this.#request.fields, body: Buffer.concat(this.#sent) };
  }

  async #answer(): Promise<void> {
    // Not within the call that opened it.
    await Promise.resolve();
    const { firstByteMs } = this.#request;
    const { delayMs = 0, outcome } = this.#scripted ?? {};
    const isSilent = delayMs > firstByteMs;
    const isOn = await this.#scene.pause(Math.min(delayMs, firstByteMs));
    if (this.#state !== "waiting") return;
    if (!isOn) this.#fail("connection-terminated");
    else if (isSilent) this.#fail("HTTP-response-timeout");
    else if (outcome === undefined) this.#fail("connection-refused");
    else if (outcome.kind === "failure") this.#fail(outcome.code);
    else {
      this.#state = "response";
      this.#left = outcome.chunks.filter(({ length }) => length > 0);
      this.#sink.response({ status: outcome.status, fields: fieldsOf(outcome.headers) });
      this.#tell();
    }
  }

  /** As much of the body as is wanted; then the end. */
  #tell(): void {
    while (this.#state === "response" && this.#credit > 0) {
      const [chunk] = this.#left;
      if (chunk === undefined) break;
      const now = chunk.subarray(0, this.#credit);
      this.#credit -= now.length;
      if (now.length === chunk.length) this.#left.shift();
      else this.#left[0] = chunk.subarray(now.length);
      this.#sink.chunk(now);
    }
    if (this.#state !== "response" || this.#left.length > 0) return;
    const outcome = this.#scripted?.outcome;
    if (outcome?.kind === "response" && outcome.failure !== undefined) this.#fail(outcome.failure);
    else this.#end(() => this.#sink.end([]));
  }

  #fail(code: HttpErrorCode): void {
    this.#end(() => this.#sink.fail({ code }));
  }

  #end(tell: () => void): void {
    this.#state = "ended";
    tell();
    this.#close();
  }
}

/** As a client passes them on: without those of the connection. */
function fieldsOf(headers: readonly (readonly [name: string, value: string])[]): HttpField[] {
  return headers
    .filter(([name]) => !isHostsField(name))
    .map(([name, value]): HttpField => [name.toLowerCase(), Buffer.from(value)]);
}
