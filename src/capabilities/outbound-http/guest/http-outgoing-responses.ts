/**
 * The response of `wasi:http/types` that a server would send. The WIT lets a plugin make one. There is no request to answer
 * with it, so no function takes it and it is never sent.
 *
 * @module
 */

import type * as Published from "@bytecodealliance/preview2-shim/interfaces/wasi-http-types";
import type { HttpField } from "../../../contract/http.ts";
import type { GuestContext } from "../../../runner/guest/guest-context.ts";
import { DONE, expectU16, ok, type Result } from "../../../runner/guest/guest-values.ts";
import { constructorFor, HOST_ONLY, requireHost, seal } from "../../../runner/guest/namespaces.ts";
import { REFUSED } from "./exchange-future.ts";
import { OutgoingBody, OutgoingContent } from "./http-bodies.ts";
import { declaredBytes, type Fields, immutableFields, takeEntries } from "./http-fields.ts";
import type { Implementation } from "../../../runner/wasi/published-types.ts";

/** The valid status codes: RFC 9110, section 15. */
const STATUS = { min: 100, max: 599 } as const;

export class OutgoingResponse implements Implementation<Published.OutgoingResponse> {
  readonly #context: GuestContext;
  readonly #headers: readonly HttpField[];
  #statusCode = 200;
  #content: OutgoingContent | undefined;

  constructor(key: typeof HOST_ONLY, context: GuestContext, headers: unknown) {
    requireHost(key);
    context.openHandle();
    this.#context = context;
    this.#headers = takeEntries(headers);
  }

  statusCode(): number {
    return this.#statusCode;
  }

  setStatusCode(statusCode: unknown): Result<undefined, undefined> {
    const code = expectU16(statusCode);
    if (code < STATUS.min || code > STATUS.max) return this.#refuse();
    this.#statusCode = code;
    return DONE;
  }

  headers(): Fields {
    return immutableFields(this.#context, this.#headers);
  }

  body(): Result<OutgoingBody, undefined> {
    if (this.#content !== undefined) return REFUSED;
    this.#content = new OutgoingContent(declaredBytes(this.#headers), "HTTP-response-body-size");
    return ok(new OutgoingBody(HOST_ONLY, this.#context, this.#content));
  }

  /** A private method, so that it throws for a forged response, whose private fields no line has read before. */
  #refuse(): Result<never, undefined> {
    return REFUSED;
  }

  [Symbol.dispose](): void {
    this.#context.closeHandle();
    this.#content?.break();
  }
}
seal(OutgoingResponse);

/** The class with its constructor for guests. */
export function createOutgoingResponseClass(context: GuestContext): unknown {
  return constructorFor(OutgoingResponse, (headers) => new OutgoingResponse(HOST_ONLY, context, headers));
}
