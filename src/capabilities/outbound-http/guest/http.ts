/**
 * `wasi:http` for a guest that sends requests: `outgoing-handler`, and what `types` has for it. A guest never gets the
 * resources for servers alone: incoming requests, and the parameters that set their responses.
 *
 * @module
 */

import type * as PublishedHandler from "@bytecodealliance/preview2-shim/interfaces/wasi-http-outgoing-handler";
import type * as PublishedTypes from "@bytecodealliance/preview2-shim/interfaces/wasi-http-types";
import type { GuestContext } from "../../../runner/guest/guest-context.ts";
import { GuestExchange } from "../../../runner/guest/guest-exchange.ts";
import { err, ok, type Result } from "../../../runner/guest/guest-values.ts";
import { absentResource, HOST_ONLY, type Namespace, namespace } from "../../../runner/guest/namespaces.ts";
import { FutureTrailers, IncomingBody, OutgoingBody } from "./http-bodies.ts";
import { toErrorCode } from "./http-errors.ts";
import { createFieldsClass } from "./http-fields.ts";
import { createOutgoingResponseClass } from "./http-outgoing-responses.ts";
import { OUTBOUND_HTTP_PORT } from "./link.ts";
import { createRequestClasses, takeRequest } from "./http-requests.ts";
import { FutureIncomingResponse, IncomingResponse } from "./http-responses.ts";
import type { Functions } from "../../../runner/wasi/published-types.ts";
import { expectFailure } from "../../../runner/wasi/streams.ts";

type Handled = Result<FutureIncomingResponse, PublishedTypes.ErrorCode>;

export function createOutgoingHandler(context: GuestContext): Namespace {
  return namespace({
    handle(request: unknown, options: unknown): Handled {
      const { asked, content } = takeRequest(request, options);
      const exchange = new GuestExchange(() => context.wake());
      const opened = context.port(OUTBOUND_HTTP_PORT)?.open(asked, exchange) ?? "HTTP-request-denied";
      if (typeof opened === "string") {
        content?.break();
        return err(toErrorCode({ code: opened }));
      }
      exchange.attach(opened);
      content?.attach(exchange);
      return ok(new FutureIncomingResponse(HOST_ONLY, context, exchange));
    },
  } satisfies Functions<typeof PublishedHandler>);
}

const functions = {
  httpErrorCode: (error: unknown) => toErrorCode(expectFailure(error)),
} satisfies Functions<typeof PublishedTypes>;

const ABSENT = {
  IncomingRequest: absentResource(),
  ResponseOutparam: absentResource(),
};

export function createHttpTypes(context: GuestContext): Namespace {
  return namespace({
    Fields: createFieldsClass(context),
    ...createRequestClasses(context),
    OutgoingResponse: createOutgoingResponseClass(context),
    OutgoingBody,
    IncomingBody,
    IncomingResponse,
    FutureIncomingResponse,
    FutureTrailers,
    ...ABSENT,
    ...functions,
  });
}
