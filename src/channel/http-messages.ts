/**
 * The messages of outbound HTTP. A runner opens an exchange with `http-request` and numbers it; from then on both
 * sides speak of it by that number, which is never used again in the life of the process.
 *
 * Bodies flow by credit, in both directions alike: `FIXED_LIMITS.httpWindowBytes` may be sent unasked, then as
 * much as the other side has asked for (`http-wanted` by the host, `http-read` by the runner). So neither side
 * can make the other hold more than a window.
 *
 * An exchange ends with `http-end`, `http-failed` or `http-abort`. What crosses these on its way is ignored.
 *
 * @module
 */

import {
  HTTP_ERROR_CODES,
  MAX_HTTP_FIELDS,
  type HttpFailure,
  type HttpField,
  type HttpRequest,
  type HttpResponse,
} from "../contract/http.ts";
import { type FieldReader, type FieldSink, FrameError } from "./codec.ts";

/** What the host says of an exchange. */
export type HttpHostMessage =
  /** So many more bytes of the request's body may be sent. */
  | { readonly kind: "http-wanted"; readonly exchange: number; readonly bytes: number }
  | { readonly kind: "http-response"; readonly exchange: number; readonly response: HttpResponse }
  | { readonly kind: "http-chunk"; readonly exchange: number; readonly bytes: Uint8Array }
  | { readonly kind: "http-end"; readonly exchange: number; readonly trailers: readonly HttpField[] }
  | { readonly kind: "http-failed"; readonly exchange: number; readonly failure: HttpFailure };

/** What a runner says of an exchange. */
export type HttpRunnerMessage =
  | { readonly kind: "http-request"; readonly call: number; readonly exchange: number; readonly request: HttpRequest }
  | { readonly kind: "http-body"; readonly exchange: number; readonly bytes: Uint8Array }
  /** The request's body is whole. */
  | { readonly kind: "http-finish"; readonly exchange: number }
  /** So many more bytes of the response's body may be sent. */
  | { readonly kind: "http-read"; readonly exchange: number; readonly bytes: number }
  | { readonly kind: "http-abort"; readonly exchange: number };

/** Numbers of the frames' kinds, beside those of `messages.ts`. */
export const HTTP_KIND = {
  "http-wanted": 6,
  "http-response": 7,
  "http-chunk": 8,
  "http-end": 9,
  "http-failed": 10,
  "http-request": 32,
  "http-body": 33,
  "http-finish": 34,
  "http-read": 35,
  "http-abort": 36,
} as const satisfies Record<(HttpHostMessage | HttpRunnerMessage)["kind"], number>;

/** Stands for a number that is absent. */
const NONE = 0xffff_ffff;

/** Writes the fields of a message. */
export function encodeHttpMessage(message: HttpHostMessage | HttpRunnerMessage, out: FieldSink): void {
  if (message.kind === "http-request") out.u32(message.call);
  out.u32(message.exchange);
  switch (message.kind) {
    case "http-wanted":
    case "http-read":
      out.u32(message.bytes);
      break;
    case "http-response":
      out.u16(message.response.status);
      encodeFields(message.response.fields, out);
      break;
    case "http-chunk":
    case "http-body":
      out.bytes(message.bytes);
      break;
    case "http-end":
      encodeFields(message.trailers, out);
      break;
    case "http-failed":
      out.u8(HTTP_ERROR_CODES.indexOf(message.failure.code));
      out.u32(optional(message.failure.bytes));
      out.u8(message.failure.detail === undefined ? 0 : 1);
      out.text(message.failure.detail ?? "");
      break;
    case "http-request":
      encodeRequest(message.request, out);
      break;
    case "http-finish":
    case "http-abort":
      break;
  }
}

function encodeRequest(request: HttpRequest, out: FieldSink): void {
  out.text(request.method);
  out.text(request.scheme);
  out.text(request.authority);
  out.text(request.path);
  out.u8(request.hasBody ? 1 : 0);
  for (const timeoutMs of [request.connectMs, request.firstByteMs, request.betweenBytesMs])
    out.u32(optional(timeoutMs));
  encodeFields(request.fields, out);
}

function encodeFields(fields: readonly HttpField[], out: FieldSink): void {
  out.u16(fields.length);
  for (const [name, value] of fields) {
    out.text(name);
    out.bytes(value);
  }
}

/** Reads what a host says of an exchange. Throws {@link FrameError}. */
export function readHttpHostMessage(kind: number, fields: FieldReader): HttpHostMessage {
  switch (kind) {
    case HTTP_KIND["http-wanted"]:
      return { kind: "http-wanted", exchange: fields.u32(), bytes: fields.u32() };
    case HTTP_KIND["http-response"]:
      return {
        kind: "http-response",
        exchange: fields.u32(),
        response: { status: fields.u16(), fields: readFields(fields) },
      };
    case HTTP_KIND["http-chunk"]:
      return { kind: "http-chunk", exchange: fields.u32(), bytes: fields.bytes() };
    case HTTP_KIND["http-end"]:
      return { kind: "http-end", exchange: fields.u32(), trailers: readFields(fields) };
    case HTTP_KIND["http-failed"]:
      return { kind: "http-failed", exchange: fields.u32(), failure: readFailure(fields) };
    default:
      throw new FrameError(`unknown kind ${kind} of a host's frame`);
  }
}

/** Reads what a runner says of an exchange. Throws {@link FrameError}. */
export function readHttpRunnerMessage(kind: number, fields: FieldReader): HttpRunnerMessage {
  switch (kind) {
    case HTTP_KIND["http-request"]:
      return { kind: "http-request", call: fields.u32(), exchange: fields.u32(), request: readRequest(fields) };
    case HTTP_KIND["http-body"]:
      return { kind: "http-body", exchange: fields.u32(), bytes: fields.bytes() };
    case HTTP_KIND["http-finish"]:
      return { kind: "http-finish", exchange: fields.u32() };
    case HTTP_KIND["http-read"]:
      return { kind: "http-read", exchange: fields.u32(), bytes: fields.u32() };
    case HTTP_KIND["http-abort"]:
      return { kind: "http-abort", exchange: fields.u32() };
    default:
      throw new FrameError(`unknown kind ${kind} of a runner's frame`);
  }
}

function readRequest(fields: FieldReader): HttpRequest {
  return {
    method: fields.text(),
    scheme: fields.text(),
    authority: fields.text(),
    path: fields.text(),
    hasBody: readFlag(fields),
    connectMs: readOptional(fields),
    firstByteMs: readOptional(fields),
    betweenBytesMs: readOptional(fields),
    fields: readFields(fields),
  };
}

function readFailure(fields: FieldReader): HttpFailure {
  const code = HTTP_ERROR_CODES[fields.u8()];
  if (code === undefined) throw new FrameError("unknown error code of an exchange");
  const bytes = readOptional(fields);
  const hasDetail = readFlag(fields);
  const detail = fields.text();
  return { code, ...(bytes !== undefined && { bytes }), ...(hasDetail && { detail }) };
}

function readFields(fields: FieldReader): HttpField[] {
  const count = fields.u16();
  if (count > MAX_HTTP_FIELDS) throw new FrameError(`${count} header fields in a frame`);
  return Array.from({ length: count }, (): HttpField => [fields.text(), fields.bytes()]);
}

function readFlag(fields: FieldReader): boolean {
  const flag = fields.u8();
  if (flag > 1) throw new FrameError("a flag is neither 0 nor 1");
  return flag === 1;
}

function readOptional(fields: FieldReader): number | undefined {
  const value = fields.u32();
  return value === NONE ? undefined : value;
}

function optional(value: number | undefined): number {
  return value === undefined ? NONE : Math.min(value, NONE - 1);
}
