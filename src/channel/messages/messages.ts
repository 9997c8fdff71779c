/**
 * The messages between the host and a runner: two tables, one for each direction. Ids: `call` numbers a request in
 * flight, `op` numbers a capability operation of a call, `exchange` an outbound HTTP request; each is chosen by the side
 * that sends first and echoed by the other. Those of an exchange are in `http-messages.ts`.
 *
 * Layout of a frame: `u32 length of the payload | u8 tag | payload`. The payload's fields follow the order of the table.
 * Each field has a bound, and so has each message: no honest sender goes beyond it, and a frame that would is refused
 * before any of it is awaited.
 *
 * @module
 */

import { PLUGIN_LIMITS } from "../../contract/limits.ts";
import { MAX_BUCKET_CHARACTERS } from "../../contract/names.ts";
import { METHOD_MAX_BYTES, REQUEST_ID_MAX_BYTES } from "../../contract/protocol.ts";
import { LOG_LEVELS } from "../../contract/request.ts";
import { bytes, flag, oneOf, text, u16, u32, u8 } from "../fields.ts";
import { message, type MessageOf, record, variant } from "../message-table.ts";
import { createProtocol, type Protocol } from "../protocol.ts";
import { SENTENCE_BYTES } from "./bounds.ts";
import { HTTP_HOST_MESSAGES, HTTP_RUNNER_MESSAGES } from "./http-messages.ts";

/** A character of UTF-16 takes at most this many bytes of UTF-8. */
const UTF8_PER_CHARACTER = 3;

/** One byte of a guest's output becomes at most `\u{1b}`. */
export const ESCAPED_CHARACTERS = 6;

const bucket = text(MAX_BUCKET_CHARACTERS * UTF8_PER_CHARACTER);
const key = text(PLUGIN_LIMITS.keyBytes.max * UTF8_PER_CHARACTER);
const sentence = text(SENTENCE_BYTES);

/** How a capability operation ended: a value, nothing, or an error string that the guest sees. */
const OPERATION_RESULTS = {
  value: message(0, { value: bytes(PLUGIN_LIMITS.valueBytes.max) }),
  none: message(1, {}),
  error: message(2, { message: sentence }),
};

/** What the host sends. */
const HOST_MESSAGES = {
  /** Ask `get-access-levels` of an instance with every capability denied. */
  probe: message(1, { call: u32 }),
  request: message(2, {
    call: u32,
    request: record({
      id: text(REQUEST_ID_MAX_BYTES),
      method: text(METHOD_MAX_BYTES),
      payload: bytes(PLUGIN_LIMITS.payloadBytes.max),
    }),
  }),
  /** The answer to a capability operation. */
  result: message(3, { op: u32, result: variant("an operation's result", OPERATION_RESULTS) }),
  /** Forget the call: nobody waits for it any more. The runner retires its instance and sends nothing more for it. */
  cancel: message(4, { call: u32 }),
  ping: message(5, { nonce: u32 }),
  ...HTTP_HOST_MESSAGES,
};

/** What a runner sends. */
const RUNNER_MESSAGES = {
  /** The artifact is compiled and an instance can be made. */
  ready: message(16, {}),
  /** The artifact could not be loaded; the runner exits. `isLasting`: the next one would fail in the same way. */
  failed: message(17, { message: sentence, isLasting: flag }),
  levels: message(18, { call: u32, levels: u8 }),
  "kv-get": message(19, { call: u32, op: u32, bucket, key }),
  /** A store with a thread of its own reads a large value where it arrived. */
  "kv-set": message(20, { call: u32, op: u32, bucket, key, value: bytes(PLUGIN_LIMITS.valueBytes.max, "shared") }),
  log: message(21, { call: u32, level: oneOf("log level", LOG_LEVELS), message: text(PLUGIN_LIMITS.logBytes.max) }),
  /** A line that the guest wrote to stdout (1) or stderr (2). */
  output: message(22, {
    call: u32,
    stream: oneOf("output stream", [1, 2]),
    text: text(PLUGIN_LIMITS.logBytes.max * ESCAPED_CHARACTERS),
  }),
  /** What of log and output was not sent; sent once, before the outcome, where there is anything to tell. */
  dropped: message(23, {
    call: u32,
    dropped: record({ lines: u32, bytes: u32, missedBytes: u32, missedLines: u32 }),
  }),
  response: message(24, {
    call: u32,
    response: record({ status: u16, body: bytes(PLUGIN_LIMITS.replyBytes.max) }),
  }),
  /** The body was larger than the limit and was not sent. */
  oversize: message(25, { call: u32, bytes: u32 }),
  "plugin-error": message(26, { call: u32, message: text(PLUGIN_LIMITS.replyBytes.max) }),
  trap: message(27, { call: u32, message: sentence }),
  pong: message(28, { nonce: u32 }),
  /** An instance was made, which took so much time on a processor. */
  "instance-made": message(29, { micros: u32 }),
  ...HTTP_RUNNER_MESSAGES,
};

export type HostMessage = MessageOf<typeof HOST_MESSAGES>;

export type RunnerMessage = MessageOf<typeof RUNNER_MESSAGES>;

export type OperationResult = MessageOf<typeof OPERATION_RESULTS>;

/** The host's end. */
export const HOST_SIDE: Protocol<RunnerMessage, HostMessage> = createProtocol({
  receives: RUNNER_MESSAGES,
  sends: HOST_MESSAGES,
});

/** A runner's end. */
export const RUNNER_SIDE: Protocol<HostMessage, RunnerMessage> = createProtocol({
  receives: HOST_MESSAGES,
  sends: RUNNER_MESSAGES,
});
