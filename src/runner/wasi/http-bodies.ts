/**
 * The bodies of `wasi:http/types`: the one that a guest writes and the one that it reads, with the trailers of
 * the latter.
 *
 * What a guest writes before its request is sent is kept here, a window of it at most. A body that is dropped
 * unfinished is a request that was broken off, and a response that nobody reads on is given up.
 *
 * @module
 */

import type * as Published from "@bytecodealliance/preview2-shim/interfaces/wasi-http-types";
import { type HttpFailure, isHostsField } from "../../contract/http.ts";
import { FIXED_LIMITS } from "../../contract/limits.ts";
import type { GuestContext } from "../guest-context.ts";
import type { GuestExchange } from "../guest-exchange.ts";
import { DONE, err, ok, type Result } from "../guest-values.ts";
import { HOST_ONLY, requireHost, seal } from "../namespaces.ts";
import { ExchangeFuture, REFUSED } from "./exchange-future.ts";
import { toErrorCode } from "./http-errors.ts";
import { type Fields, immutableFields, takeEntries } from "./http-fields.ts";
import type { Pollable } from "./poll.ts";
import type { Implementation } from "./published-types.ts";
import { type ByteSink, InputStream, OutputStream } from "./streams.ts";

/** Where a request's body goes: nowhere yet, then to its exchange. */
export class RequestBody implements ByteSink {
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  #writtenBytes = 0;
  #exchange: GuestExchange | undefined;
  #state: "open" | "finished" | "broken" = "open";
  /** What the request's `content-length` says; absent until it is sent, or if there is none. */
  #declaredBytes: number | undefined;

  get permit(): number | "closed" | HttpFailure {
    if (this.#state !== "open") return "closed";
    if (this.#exchange === undefined) return FIXED_LIMITS.httpWindowBytes - this.#keptBytes;
    if (this.#exchange.failure !== undefined) return this.#exchange.failure;
    return this.#exchange.isOpen ? this.#exchange.writableBytes : "closed";
  }

  write(bytes: Uint8Array): void {
    this.#writtenBytes += bytes.length;
    if (this.#exchange !== undefined) return this.#exchange.write(bytes);
    // A copy: the bytes are the guest's.
    this.#kept.push(bytes.slice());
    this.#keptBytes += bytes.length;
  }

  /** The request is sent, with so many bytes declared: what was kept goes first. */
  attach(exchange: GuestExchange, declaredBytes: number | undefined): void {
    this.#exchange = exchange;
    this.#declaredBytes = declaredBytes;
    for (const bytes of this.#kept) exchange.write(bytes);
    this.#kept = [];
    if (this.#state === "finished") exchange.finish();
    if (this.#state === "broken") exchange.abort();
  }

  /** Ends the body as it is; the failure that it is where its length is another than was declared. */
  finish(): HttpFailure | undefined {
    if (this.#state !== "open") return undefined;
    if (this.#declaredBytes !== undefined && this.#writtenBytes !== this.#declaredBytes) {
      this.break();
      return { code: "HTTP-request-body-size", bytes: this.#writtenBytes };
    }
    this.#state = "finished";
    this.#exchange?.finish();
    return undefined;
  }

  /** Breaks the request off, unless the body is whole. */
  break(): void {
    if (this.#state !== "open") return;
    this.#state = "broken";
    this.#kept = [];
    if (this.#exchange?.head === undefined) this.#exchange?.abort();
  }
}

export class OutgoingBody implements Implementation<Published.OutgoingBody> {
  readonly #context: GuestContext;
  readonly #body: RequestBody;
  #stream: "given" | "none" = "none";

  constructor(key: typeof HOST_ONLY, context: GuestContext, body: RequestBody) {
    requireHost(key);
    context.openHandle();
    this.#context = context;
    this.#body = body;
  }

  write(): Result<OutputStream, undefined> {
    if (this.#stream === "given") return REFUSED;
    this.#stream = "given";
    return ok(new OutputStream(HOST_ONLY, this.#context, this.#body));
  }

  [Symbol.dispose](): void {
    this.#context.closeHandle();
    this.#body.break();
  }

  static finish(body: unknown, trailers: unknown): Result<undefined, Published.ErrorCode> {
    const outgoing = body as OutgoingBody;
    // The guest gave the handles away with this call, so it will not drop them.
    outgoing.#context.closeHandle();
    const fields = trailers === undefined ? [] : takeEntries(trailers);
    if (fields.length > 0) {
      outgoing.#body.break();
      return err(toErrorCode({ code: "internal-error", detail: "A request cannot have trailers here." }));
    }
    const failure = outgoing.#body.finish();
    return failure === undefined ? DONE : err(toErrorCode(failure));
  }
}
seal(OutgoingBody);

/** Throws for anything but a body of the host's. */
let finishBody: (body: unknown) => FutureTrailers;

export class IncomingBody implements Implementation<Published.IncomingBody> {
  readonly #context: GuestContext;
  readonly #exchange: GuestExchange;
  #stream: "given" | "none" = "none";

  constructor(key: typeof HOST_ONLY, context: GuestContext, exchange: GuestExchange) {
    requireHost(key);
    context.openHandle();
    this.#context = context;
    this.#exchange = exchange;
  }

  stream(): Result<InputStream, undefined> {
    if (this.#stream === "given") return REFUSED;
    this.#stream = "given";
    return ok(new InputStream(HOST_ONLY, this.#context, this.#exchange));
  }

  [Symbol.dispose](): void {
    this.#context.closeHandle();
    this.#exchange.abort();
  }

  static finish(body: unknown): FutureTrailers {
    return finishBody(body);
  }

  static {
    finishBody = (body) => {
      const incoming = body as IncomingBody;
      // The guest gave the handle away with this call, so it will not drop it.
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
