/**
 * From wRPC parameters to a request, and from an outcome to the result of `handle-request`. wRPC has no headers, so there
 * is no place for a code beside the result: what the host says itself is the text of an `err`, `<code>: <summary>`.
 * Pure.
 *
 * @module
 */

import { type Decoded, isRequestId } from "../consumer/decode.ts";
import { METHOD_MAX_BYTES, REQUEST_ID_MAX_BYTES } from "../contract/protocol.ts";
import type { Outcome, RpcRequest } from "../contract/request.ts";
import { type ErrorCode, errorRow } from "../errors/table.ts";
import type { HandlerResult } from "../wrpc/handler-functions.ts";

/** A result, and the code of the error that it says; `undefined` for the plugin's response. */
export interface EncodableResult {
  readonly result: HandlerResult;
  readonly code: ErrorCode | undefined;
}

/** Bytes of parameters besides the payload: an id and a method of the greatest length, and the lengths of all three. */
const OTHER_PARAMETER_BYTES = METHOD_MAX_BYTES + REQUEST_ID_MAX_BYTES + 16;

/** The most bytes of the parameters of `handle-request`. */
export function maxParameterBytes(payloadBytes: number): number {
  return payloadBytes + OTHER_PARAMETER_BYTES;
}

/**
 * The request in the parameters of `handle-request`. An id that is empty or that no NATS caller could send is replaced by
 * a new one. wRPC carries no deadline, so only the plugin's own applies.
 */
export function requestOf({ id, method, payload }: RpcRequest, newId: () => string): Decoded {
  const validId = isRequestId(id) ? id : newId();
  if (Buffer.byteLength(method) > METHOD_MAX_BYTES)
    return { kind: "malformed", id: validId, problem: `a method has at most ${METHOD_MAX_BYTES} bytes` };
  return { kind: "request", request: { id: validId, method, payload }, timeoutMs: undefined, traceId: undefined };
}

/** The result that says this outcome. A body or an error of the plugin's of more than `replyBytes` is not sent. */
export function resultOf(outcome: Outcome, replyBytes: number): EncodableResult {
  switch (outcome.kind) {
    case "ok": {
      const { response } = outcome;
      if (response.body.length > replyBytes) return errorResult("reply-too-large");
      return { result: { tag: "ok", val: response }, code: undefined };
    }
    case "plugin-error": {
      const { message } = outcome;
      if (Buffer.byteLength(message) > replyBytes) return errorResult("reply-too-large");
      return { result: { tag: "err", val: message }, code: "plugin-error" };
    }
    case "trap":
      return errorResult("plugin-trapped");
    case "failed":
      return errorResult(outcome.code, outcome.safeText);
  }
}

/** `text` replaces the table's summary. */
export function errorResult(code: ErrorCode, text: string = errorRow(code).summary): EncodableResult {
  return { result: { tag: "err", val: `${code}: ${text}` }, code };
}
