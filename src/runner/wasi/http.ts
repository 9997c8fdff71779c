/**
 * `wasi:http` for a guest that sends requests: `outgoing-handler` and what `types` has for it. What belongs to a
 * server (incoming requests, outgoing responses) is never given out.
 *
 * @module
 */

import type * as PublishedHandler from "@bytecodealliance/preview2-shim/interfaces/wasi-http-outgoing-handler";
import type * as PublishedTypes from "@bytecodealliance/preview2-shim/interfaces/wasi-http-types";
import type { HttpField } from "../../contract/http.ts";
import type { GuestContext } from "../guest-context.ts";
import { GuestExchange } from "../guest-exchange.ts";
import { err, ok, type Result } from "../guest-values.ts";
import { absentResource, HOST_ONLY, type Namespace, namespace } from "../namespaces.ts";
import { FutureTrailers, IncomingBody, OutgoingBody } from "./http-bodies.ts";
import { toErrorCode } from "./http-errors.ts";
import { createFieldsClass } from "./http-fields.ts";
import { createRequestClasses, takeRequest } from "./http-requests.ts";
import { FutureIncomingResponse, IncomingResponse } from "./http-responses.ts";
import type { Functions } from "./published-types.ts";
import { expectFailure } from "./streams.ts";

type Handled = Result<FutureIncomingResponse, PublishedTypes.ErrorCode>;

export function createOutgoingHandler(context: GuestContext): Namespace {
  return namespace({
    handle(request: unknown, options: unknown): Handled {
      const { asked, body } = takeRequest(request, options);
      const exchange = new GuestExchange(() => context.wake());
      const port = context.openHttp(asked, exchange);
      if (typeof port === "string") return err(toErrorCode({ code: port }));
      exchange.attach(port);
      body?.attach(exchange, declaredBytes(asked.fields));
      return ok(new FutureIncomingResponse(HOST_ONLY, context, exchange));
    },
  } satisfies Functions<typeof PublishedHandler>);
}

/** The body's length as the guest declares it; what is not one number the host refuses. */
function declaredBytes(fields: readonly HttpField[]): number | undefined {
  const value = fields.find(([name]) => name.toLowerCase() === "content-length")?.[1];
  return value === undefined ? undefined : Number(Buffer.from(value).toString("latin1"));
}

const functions = {
  httpErrorCode: (error: unknown) => toErrorCode(expectFailure(error)),
} satisfies Functions<typeof PublishedTypes>;

const ABSENT = {
  IncomingRequest: absentResource(),
  OutgoingResponse: absentResource(),
  ResponseOutparam: absentResource(),
};

export function createHttpTypes(context: GuestContext): Namespace {
  return namespace({
    Fields: createFieldsClass(context),
    ...createRequestClasses(context),
    OutgoingBody,
    IncomingBody,
    IncomingResponse,
    FutureIncomingResponse,
    FutureTrailers,
    ...ABSENT,
    ...functions,
  });
}
