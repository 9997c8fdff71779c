/**
 * The messages between the host and a runner. Ids: `call` numbers a request in flight, `op` numbers a
 * capability operation of a call, `exchange` an outbound HTTP request; each is chosen by the side that sends
 * first and echoed by the other. Those of an exchange are in `http-messages.ts`.
 *
 * Layout of a frame: `u32 length of the payload | u8 kind | payload`, little-endian; the payload's fields
 * are in the order of the message types below, text and bytes behind a `u32` length, flags and enums as
 * one byte.
 *
 * @module
 */

import type { AccessLevelBits } from "../contract/access-levels.ts";
import type { DroppedLog } from "../contract/log-rate.ts";
import { type LogLevel, LOG_LEVELS, type RpcRequest, type RpcResponse } from "../contract/request.ts";
import { type FieldReader, type FieldSink, FrameError } from "./codec.ts";
import {
  encodeHttpMessage,
  HTTP_KIND,
  type HttpHostMessage,
  type HttpRunnerMessage,
  readHttpHostMessage,
  readHttpRunnerMessage,
} from "./http-messages.ts";

/** What the host sends. */
export type HostMessage =
  /** Ask `get-access-levels` of an instance with every capability denied. */
  | { readonly kind: "probe"; readonly call: number }
  | { readonly kind: "request"; readonly call: number; readonly request: RpcRequest }
  /** The answer to a capability operation. */
  | { readonly kind: "result"; readonly op: number; readonly result: OperationResult }
  /** Forget the call: nobody waits for it any more. The runner retires its instance and sends nothing more for it. */
  | { readonly kind: "cancel"; readonly call: number }
  | { readonly kind: "ping"; readonly nonce: number }
  | HttpHostMessage;

/** How a capability operation ended: a value, nothing, or an error string that the guest sees. */
export type OperationResult =
  | { readonly kind: "value"; readonly value: Uint8Array }
  | { readonly kind: "none" }
  | { readonly kind: "error"; readonly message: string };

/** What a runner sends. */
export type RunnerMessage =
  /** The artifact is compiled and an instance can be made. */
  | { readonly kind: "ready" }
  /** The artifact could not be loaded; the runner exits. `isLasting`: the next one would fail in the same way. */
  | { readonly kind: "failed"; readonly message: string; readonly isLasting: boolean }
  | { readonly kind: "levels"; readonly call: number; readonly levels: AccessLevelBits }
  | {
      readonly kind: "kv-get";
      readonly call: number;
      readonly op: number;
      readonly bucket: string;
      readonly key: string;
    }
  | {
      readonly kind: "kv-set";
      readonly call: number;
      readonly op: number;
      readonly bucket: string;
      readonly key: string;
      readonly value: Uint8Array;
    }
  | { readonly kind: "log"; readonly call: number; readonly level: LogLevel; readonly message: string }
  /** A line that the guest wrote to stdout (1) or stderr (2). */
  | { readonly kind: "output"; readonly call: number; readonly stream: 1 | 2; readonly text: string }
  /** What of log and output was not sent; sent once, before the outcome, where there is anything to tell. */
  | { readonly kind: "dropped"; readonly call: number; readonly dropped: DroppedLog }
  | { readonly kind: "response"; readonly call: number; readonly response: RpcResponse }
  /** The body was larger than the limit and was not sent. */
  | { readonly kind: "oversize"; readonly call: number; readonly bytes: number }
  | { readonly kind: "plugin-error"; readonly call: number; readonly message: string }
  | { readonly kind: "trap"; readonly call: number; readonly message: string }
  | { readonly kind: "pong"; readonly nonce: number }
  /** An instance was made, which took so much time on a processor. */
  | { readonly kind: "instance-made"; readonly micros: number }
  | HttpRunnerMessage;

const KIND = {
  probe: 1,
  request: 2,
  result: 3,
  cancel: 4,
  ping: 5,
  ready: 16,
  failed: 17,
  levels: 18,
  "kv-get": 19,
  "kv-set": 20,
  log: 21,
  output: 22,
  dropped: 23,
  response: 24,
  oversize: 25,
  "plugin-error": 26,
  trap: 27,
  pong: 28,
  "instance-made": 29,
  ...HTTP_KIND,
} as const;

/** Is a frame of this kind one that brings a value for the store? */
export function holdsStoredValue(kind: number): boolean {
  return kind === KIND["kv-set"];
}

const RESULT_VALUE = 0;
const RESULT_NONE = 1;
const RESULT_ERROR = 2;

/** Writes a message's kind and fields through `out`. */
export function encodeMessage(message: HostMessage | RunnerMessage, out: FieldSink): void {
  out.begin(KIND[message.kind]);
  encodeFields(message, out);
  out.end();
}

function encodeFields(message: HostMessage | RunnerMessage, out: FieldSink): void {
  switch (message.kind) {
    case "probe":
    case "cancel":
      out.u32(message.call);
      break;
    case "request":
      out.u32(message.call);
      out.text(message.request.id);
      out.text(message.request.method);
      out.bytes(message.request.payload);
      break;
    case "result":
      out.u32(message.op);
      encodeResult(message.result, out);
      break;
    case "ping":
    case "pong":
      out.u32(message.nonce);
      break;
    case "ready":
      break;
    case "failed":
      out.text(message.message);
      out.u8(message.isLasting ? 1 : 0);
      break;
    case "levels":
      out.u32(message.call);
      out.u8(message.levels);
      break;
    case "kv-get":
      out.u32(message.call);
      out.u32(message.op);
      out.text(message.bucket);
      out.text(message.key);
      break;
    case "kv-set":
      out.u32(message.call);
      out.u32(message.op);
      out.text(message.bucket);
      out.text(message.key);
      out.bytes(message.value);
      break;
    case "log":
      out.u32(message.call);
      out.u8(LOG_LEVELS.indexOf(message.level));
      out.text(message.message);
      break;
    case "output":
      out.u32(message.call);
      out.u8(message.stream);
      out.text(message.text);
      break;
    case "dropped":
      out.u32(message.call);
      out.u32(message.dropped.lines);
      out.u32(message.dropped.bytes);
      out.u32(message.dropped.missedBytes);
      out.u32(message.dropped.missedLines);
      break;
    case "oversize":
      out.u32(message.call);
      out.u32(message.bytes);
      break;
    case "response":
      out.u32(message.call);
      out.u16(message.response.status);
      out.bytes(message.response.body);
      break;
    case "plugin-error":
    case "trap":
      out.u32(message.call);
      out.text(message.message);
      break;
    case "http-request":
    case "http-body":
    case "http-finish":
    case "http-read":
    case "http-abort":
    case "http-wanted":
    case "http-response":
    case "http-chunk":
    case "http-end":
    case "http-failed":
      encodeHttpMessage(message, out);
      break;
    case "instance-made":
      out.u32(message.micros);
      break;
  }
}

function encodeResult(result: OperationResult, out: FieldSink): void {
  switch (result.kind) {
    case "value":
      out.u8(RESULT_VALUE);
      out.bytes(result.value);
      break;
    case "none":
      out.u8(RESULT_NONE);
      break;
    case "error":
      out.u8(RESULT_ERROR);
      out.text(result.message);
      break;
  }
}

/** Reads a frame that the host sent; for the runner. Throws {@link FrameError}. */
export function decodeHostMessage(kind: number, fields: FieldReader): HostMessage {
  const message = readHostMessage(kind, fields);
  fields.end();
  return message;
}

function readHostMessage(kind: number, fields: FieldReader): HostMessage {
  switch (kind) {
    case KIND.probe:
      return { kind: "probe", call: fields.u32() };
    case KIND.request:
      return {
        kind: "request",
        call: fields.u32(),
        request: { id: fields.text(), method: fields.text(), payload: fields.bytes() },
      };
    case KIND.result:
      return { kind: "result", op: fields.u32(), result: readResult(fields) };
    case KIND.cancel:
      return { kind: "cancel", call: fields.u32() };
    case KIND.ping:
      return { kind: "ping", nonce: fields.u32() };
    default:
      return readHttpHostMessage(kind, fields);
  }
}

function readResult(fields: FieldReader): OperationResult {
  const tag = fields.u8();
  switch (tag) {
    case RESULT_VALUE:
      return { kind: "value", value: fields.bytes() };
    case RESULT_NONE:
      return { kind: "none" };
    case RESULT_ERROR:
      return { kind: "error", message: fields.text() };
    default:
      throw new FrameError(`unknown result tag ${tag}`);
  }
}

/** Reads a frame that a runner sent; for the host. Throws {@link FrameError}. */
export function decodeRunnerMessage(kind: number, fields: FieldReader): RunnerMessage {
  const message = readRunnerMessage(kind, fields);
  fields.end();
  return message;
}

function readRunnerMessage(kind: number, fields: FieldReader): RunnerMessage {
  switch (kind) {
    case KIND.ready:
      return { kind: "ready" };
    case KIND.failed:
      return { kind: "failed", message: fields.text(), isLasting: fields.u8() === 1 };
    case KIND.levels:
      return { kind: "levels", call: fields.u32(), levels: fields.u8() };
    case KIND["kv-get"]:
      return { kind: "kv-get", call: fields.u32(), op: fields.u32(), bucket: fields.text(), key: fields.text() };
    case KIND["kv-set"]:
      return {
        kind: "kv-set",
        call: fields.u32(),
        op: fields.u32(),
        bucket: fields.text(),
        key: fields.text(),
        value: fields.bytes(),
      };
    case KIND.log:
      return { kind: "log", call: fields.u32(), level: readLogLevel(fields), message: fields.text() };
    case KIND.output:
      return { kind: "output", call: fields.u32(), stream: readStream(fields), text: fields.text() };
    case KIND.dropped:
      return {
        kind: "dropped",
        call: fields.u32(),
        dropped: { lines: fields.u32(), bytes: fields.u32(), missedBytes: fields.u32(), missedLines: fields.u32() },
      };
    case KIND.response:
      return { kind: "response", call: fields.u32(), response: { status: fields.u16(), body: fields.bytes() } };
    case KIND.oversize:
      return { kind: "oversize", call: fields.u32(), bytes: fields.u32() };
    case KIND["plugin-error"]:
      return { kind: "plugin-error", call: fields.u32(), message: fields.text() };
    case KIND.trap:
      return { kind: "trap", call: fields.u32(), message: fields.text() };
    case KIND.pong:
      return { kind: "pong", nonce: fields.u32() };
    case KIND["instance-made"]:
      return { kind: "instance-made", micros: fields.u32() };
    default:
      return readHttpRunnerMessage(kind, fields);
  }
}

function readLogLevel(fields: FieldReader): LogLevel {
  const level = LOG_LEVELS[fields.u8()];
  if (level === undefined) throw new FrameError("unknown log level");
  return level;
}

function readStream(fields: FieldReader): 1 | 2 {
  const stream = fields.u8();
  if (stream !== 1 && stream !== 2) throw new FrameError("unknown output stream");
  return stream;
}
