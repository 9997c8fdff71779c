/**
 * The response of `wasi:http/types`, which a guest waits for and reads. Dropping a response before its body was taken, or
 * the future of one before the response was taken, aborts the exchange.
 *
 * @module
 */

import type * as Published from "@bytecodealliance/preview2-shim/interfaces/wasi-http-types";
import type { HttpResponse } from "../../../contract/http.ts";
import type { GuestContext } from "../../../runner/guest/guest-context.ts";
import type { GuestExchange } from "../../../runner/guest/guest-exchange.ts";
import { err, ok, type Result } from "../../../runner/guest/guest-values.ts";
import { HOST_ONLY, requireHost, seal } from "../../../runner/guest/namespaces.ts";
import { ExchangeFuture, REFUSED } from "./exchange-future.ts";
import { IncomingBody } from "./http-bodies.ts";
import { toErrorCode } from "./http-errors.ts";
import { type Fields, immutableFields } from "./http-fields.ts";
import type { Pollable } from "../../../runner/wasi/poll.ts";
import type { Implementation } from "../../../runner/wasi/published-types.ts";

export class IncomingResponse implements Implementation<Published.IncomingResponse> {
  readonly #context: GuestContext;
  readonly #exchange: GuestExchange;
  readonly #head: HttpResponse;
  #body: "taken" | "here" = "here";

  constructor(key: typeof HOST_ONLY, context: GuestContext, exchange: GuestExchange, head: HttpResponse) {
    requireHost(key);
    context.openHandle();
    this.#context = context;
    this.#exchange = exchange;
    this.#head = head;
  }

  status(): number {
    return this.#head.status;
  }

  headers(): Fields {
    return immutableFields(this.#context, this.#head.fields);
  }

  consume(): Result<IncomingBody, undefined> {
    if (this.#body === "taken") return REFUSED;
    this.#body = "taken";
    return ok(new IncomingBody(HOST_ONLY, this.#context, this.#exchange));
  }

  [Symbol.dispose](): void {
    this.#context.closeHandle();
    if (this.#body === "here") this.#exchange.abort();
  }
}
seal(IncomingResponse);

type ResponseResult = Result<IncomingResponse, Published.ErrorCode>;

export class FutureIncomingResponse implements Implementation<Published.FutureIncomingResponse> {
  readonly #context: GuestContext;
  readonly #exchange: GuestExchange;
  readonly #future: ExchangeFuture;

  constructor(key: typeof HOST_ONLY, context: GuestContext, exchange: GuestExchange) {
    requireHost(key);
    this.#context = context;
    this.#exchange = exchange;
    this.#future = new ExchangeFuture(context, () => exchange.head !== undefined || !exchange.isOpen);
  }

  subscribe(): Pollable {
    return this.#future.subscribe();
  }

  get(): Result<ResponseResult, undefined> | undefined {
    return this.#future.take((): ResponseResult => {
      const { head, failure } = this.#exchange;
      // A response that failed after its head is still a response: its body reports the failure.
      if (head !== undefined) return ok(new IncomingResponse(HOST_ONLY, this.#context, this.#exchange, head));
      return err(toErrorCode(failure ?? { code: "HTTP-response-incomplete" }));
    });
  }

  [Symbol.dispose](): void {
    this.#future.close();
    if (!this.#future.isTaken) this.#exchange.abort();
  }
}
seal(FutureIncomingResponse);
