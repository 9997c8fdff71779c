/**
 * The bodies of `wasi:http/types`: the one that a guest writes, and the one that it reads, with its trailers.
 *
 * What a guest writes before its request is sent is kept here, at most a window of it. Dropping an unfinished outgoing body
 * aborts the request, and dropping an incoming body aborts the exchange. A guest must drop a body's stream before the body.
 *
 * @module
 */

import type * as Published from "@bytecodealliance/preview2-shim/interfaces/wasi-http-types";
import { type HttpFailure, isHostsField } from "../../../contract/http.ts";
import { FIXED_LIMITS } from "../../../contract/limits.ts";
import type { GuestContext } from "../../../runner/guest/guest-context.ts";
import type { GuestExchange } from "../../../runner/guest/guest-exchange.ts";
import { DONE, err, ok, type Result } from "../../../runner/guest/guest-values.ts";
import { HOST_ONLY, requireHost, seal } from "../../../runner/guest/namespaces.ts";
import { Children } from "../../../runner/wasi/children.ts";
import { ExchangeFuture, REFUSED } from "./exchange-future.ts";
import { toErrorCode } from "./http-errors.ts";
import { type Fields, immutableFields, takeEntries } from "./http-fields.ts";
import type { Pollable } from "../../../runner/wasi/poll.ts";
import type { Implementation } from "../../../runner/wasi/published-types.ts";
import { type ByteSink, InputStream, OutputStream } from "../../../runner/wasi/streams.ts";

/** Takes an outgoing body: keeps it at first, then passes it to its request's exchange. */
export class OutgoingContent implements ByteSink {
  /** The length that `content-length` declares; absent without such a field. */
  readonly #declaredBytes: number | undefined;
  /** The failure of a body with another length. */
  readonly #mismatch: HttpFailure["code"];
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  #writtenBytes = 0;
  #exchange: GuestExchange | undefined;
  #state: "open" | "finished" | "broken" = "open";

  constructor(declaredBytes: number | undefined, mismatch: HttpFailure["code"]) {
    this.#declaredBytes = declaredBytes;
    this.#mismatch = mismatch;
  }

  get permit(): number | "closed" | HttpFailure {
    if (this.#state !== "open") return "closed";
    if (this.#exchange === undefined) return FIXED_LIMITS.httpWindowBytes - this.#keptBytes;
    if (this.#exchange.failure !== undefined) return this.#exchange.failure;
    return this.#exchange.isOpen ? this.#exchange.writableBytes : "closed";
  }

  write(bytes: Uint8Array): void {
    this.#writtenBytes += bytes.length;
    if (this.#exchange !== undefined) return this.#exchange.write(bytes);
    // A copy, because the guest may change its bytes.
    this.#kept.push(bytes.slice());
    this.#keptBytes += bytes.length;
  }

  /** The request is sent: passes on what was kept. */
  attach(exchange: GuestExchange): void {
    this.#exchange = exchange;
    for (const bytes of this.#kept) exchange.write(bytes);
    this.#kept = [];
    if (this.#state === "finished") exchange.finish();
    if (this.#state === "broken") exchange.abort();
  }

  /** Ends the body. Returns a failure where its length is not the declared one. */
  finish(): HttpFailure | undefined {
    if (this.#state !== "open") return undefined;
    if (this.#declaredBytes !== undefined && this.#writtenBytes !== this.#declaredBytes) {
      this.break();
      return { code: this.#mismatch, bytes: this.#writtenBytes };
    }
    this.#state = "finished";
    this.#exchange?.finish();
    return undefined;
  }

  /** Aborts the request, unless its body is whole or its response has begun. Takes no more bytes. */
  break(): void {
    if (this.#state !== "open") return;
    this.#state = "broken";
    this.#kept = [];
    if (this.#exchange?.head === undefined) this.#exchange?.abort();
  }
}

export class OutgoingBody implements Implementation<Published.OutgoingBody> {
  readonly #context: GuestContext;
  readonly #content: OutgoingContent;
  readonly #children: Children;
  #stream: "given" | "none" = "none";

  constructor(key: typeof HOST_ONLY, context: GuestContext, content: OutgoingContent) {
    requireHost(key);
    context.openHandle();
    this.#context = context;
    this.#content = content;
    this.#children = new Children(context, "an outgoing-body");
  }

  write(): Result<OutputStream, undefined> {
    if (this.#stream === "given") return REFUSED;
    this.#stream = "given";
    return ok(new OutputStream(HOST_ONLY, this.#context, this.#content, this.#children.adopt()));
  }

  [Symbol.dispose](): void {
    this.#children.requireNone();
    this.#context.closeHandle();
    this.#content.break();
  }

  static finish(body: unknown, trailers: unknown): Result<undefined, Published.ErrorCode> {
    const outgoing = body as OutgoingBody;
    outgoing.#children.requireNone();
    // The guest gave its handles away with this call, so it will not drop them.
    outgoing.#context.closeHandle();
    const fields = trailers === undefined ? [] : takeEntries(trailers);
    if (fields.length > 0) {
      outgoing.#content.break();
      return err(toErrorCode({ code: "internal-error", detail: "A request cannot have trailers here." }));
    }
    const failure = outgoing.#content.finish();
    return failure === undefined ? DONE : err(toErrorCode(failure));
  }
}
seal(OutgoingBody);

/** Throws for anything but a body of the host. */
let finishBody: (body: unknown) => FutureTrailers;

export class IncomingBody implements Implementation<Published.IncomingBody> {
  readonly #context: GuestContext;
  readonly #exchange: GuestExchange;
  readonly #children: Children;
  #stream: "given" | "none" = "none";

  constructor(key: typeof HOST_ONLY, context: GuestContext, exchange: GuestExchange) {
    requireHost(key);
    context.openHandle();
    this.#context = context;
    this.#exchange = exchange;
    this.#children = new Children(context, "an incoming-body");
  }

  stream(): Result<InputStream, undefined> {
    if (this.#stream === "given") return REFUSED;
    this.#stream = "given";
    return ok(new InputStream(HOST_ONLY, this.#context, this.#exchange, this.#children.adopt()));
  }

  [Symbol.dispose](): void {
    this.#children.requireNone();
    this.#context.closeHandle();
    this.#exchange.abort();
  }

  static finish(body: unknown): FutureTrailers {
    return finishBody(body);
  }

  static {
    finishBody = (body) => {
      const incoming = body as IncomingBody;
      incoming.#children.requireNone();
      // The guest gave its handle away with this call, so it will not drop it.
      incoming.#context.closeHandle();
      incoming.#exchange.discard();
      return new FutureTrailers(HOST_ONLY, incoming.#context, incoming.#exchange);
    };
  }
}
seal(IncomingBody);

type TrailersResult = Result<Fields | undefined, Published.ErrorCode>;

export class FutureTrailers implements Implementation<Published.FutureTrailers> {
  readonly #context: GuestContext;
  readonly #exchange: GuestExchange;
  readonly #future: ExchangeFuture;

  constructor(key: typeof HOST_ONLY, context: GuestContext, exchange: GuestExchange) {
    requireHost(key);
    this.#context = context;
    this.#exchange = exchange;
    this.#future = new ExchangeFuture(context, () => !exchange.isOpen);
  }

  subscribe(): Pollable {
    return this.#future.subscribe();
  }

  get(): Result<TrailersResult, undefined> | undefined {
    return this.#future.take((): TrailersResult => {
      const { failure, trailers = [] } = this.#exchange;
      if (failure !== undefined) return err(toErrorCode(failure));
      const fields = trailers.filter(([name]) => !isHostsField(name));
      return ok(fields.length === 0 ? undefined : immutableFields(this.#context, fields));
    });
  }

  [Symbol.dispose](): void {
    this.#future.close();
    this.#exchange.abort();
  }
}
seal(FutureTrailers);
