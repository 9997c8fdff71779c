/**
 * The messages between the host and a runner, in tables for each direction: those of calls here, those of capabilities in
 * their folders. Ids: `call` identifies a request in flight, `op` and `exchange` what a capability does for it. The side
 * that sends first chooses an id, and the other echoes it.
 *
 * Layout of a frame: `u32 length of the payload | u8 tag | payload`. The payload's fields follow the order of the table.
 * Each field has a bound, and so has each message. No honest sender exceeds it, and the receiver refuses a frame that would
 * as soon as it has read the header.
 *
 * @module
 */

import {
  type CapabilityToGuest,
  type CapabilityToHost,
  TO_GUEST_TABLES,
  TO_HOST_TABLES,
} from "../../capabilities/capabilities.ts";
import { PLUGIN_LIMITS } from "../../contract/limits.ts";
import { METHOD_MAX_BYTES, REQUEST_ID_MAX_BYTES } from "../../contract/protocol.ts";
import { LOG_LEVELS } from "../../contract/request.ts";
import { SENTENCE_BYTES } from "../../contract/text-bounds.ts";
import { bytes, flag, oneOf, text, u16, u32, u8 } from "../fields.ts";
import { message, type MessageOf, record } from "../message-table.ts";
import { createProtocol, type Protocol } from "../protocol.ts";

/** The most characters that escaping makes of one byte of a guest's output: `\u{1b}`. */
export const ESCAPED_CHARACTERS = 6;

const sentence = text(SENTENCE_BYTES);

const id = text(REQUEST_ID_MAX_BYTES);
const method = text(METHOD_MAX_BYTES);
const payload = bytes(PLUGIN_LIMITS.payloadBytes.max);
const body = bytes(PLUGIN_LIMITS.replyBytes.max);

const request = record(
  { id, method, payload },
  {
    read: (from) => ({ id: id.read(from), method: method.read(from), payload: payload.read(from) }),
    write(value, out) {
      out.text(value.id);
      out.text(value.method);
      out.bytes(value.payload);
    },
  },
);

const response = record(
  { status: u16, body },
  {
    read: (from) => ({ status: from.u16(), body: body.read(from) }),
    write(value, out) {
      out.u16(value.status);
      out.bytes(value.body);
    },
  },
);

/** Until when the call's guest may run, as a moment of `machine-clock.ts`. */
const due = u32;

/** The host's messages for calls. */
const HOST_MESSAGES = {
  /** Call `get-access-levels` of an instance with every capability denied. */
  probe: message({ call: u32, due }),
  request: message(
    { call: u32, due, request },
    {
      read: (from) => ({ kind: "request", call: from.u32(), due: from.u32(), request: request.read(from) }),
      write(value, out) {
        out.u32(value.call);
        out.u32(value.due);
        request.write(value.request, out);
      },
    },
  ),
  /** Forget the call: its outcome is no longer wanted. The runner retires its instance and sends nothing more for it. */
  cancel: message({ call: u32 }),
  ping: message({ nonce: u32 }),
};

/** A runner's messages for calls. */
const RUNNER_MESSAGES = {
  /** The artifact is compiled, and the runner takes requests. */
  ready: message({}),
  /** The artifact could not be loaded; the runner exits. `isLasting`: the next runner would fail in the same way. */
  failed: message({ message: sentence, isLasting: flag }),
  levels: message({ call: u32, levels: u8 }),
  log: message({ call: u32, level: oneOf("log level", LOG_LEVELS), message: text(PLUGIN_LIMITS.logBytes.max) }),
  /** A line that the guest wrote to stdout (1) or stderr (2). */
  output: message({
    call: u32,
    stream: oneOf("output stream", [1, 2]),
    text: text(PLUGIN_LIMITS.logBytes.max * ESCAPED_CHARACTERS),
  }),
  /** How much of the log and output was not sent. Sent once, before the outcome, where anything was dropped. */
  dropped: message({
    call: u32,
    dropped: record({ lines: u32, bytes: u32, missedBytes: u32, missedLines: u32 }),
  }),
  response: message(
    { call: u32, response },
    {
      read: (from) => ({ kind: "response", call: from.u32(), response: response.read(from) }),
      write(value, out) {
        out.u32(value.call);
        response.write(value.response, out);
      },
    },
  ),
  /** The body was larger than the limit and was not sent. */
  oversize: message({ call: u32, bytes: u32 }),
  "plugin-error": message({ call: u32, message: text(PLUGIN_LIMITS.replyBytes.max) }),
  trap: message({ call: u32, message: sentence }),
  /** The guest was stopped, because its call was due. */
  stopped: message({ call: u32 }),
  pong: message({ nonce: u32 }),
  /** An instance was made, or one was started again, which took `micros` microseconds of processor time. */
  "instance-made": message({ micros: u32 }),
};

/** Any message from the host to a runner. */
export type HostMessage = MessageOf<typeof HOST_MESSAGES> | CapabilityToGuest;

/** Any message from a runner to the host. */
export type RunnerMessage = MessageOf<typeof RUNNER_MESSAGES> | CapabilityToHost;

const toHost = [RUNNER_MESSAGES, ...TO_HOST_TABLES];
const toRunner = [HOST_MESSAGES, ...TO_GUEST_TABLES];

/** The protocol of the host's end. */
export const HOST_SIDE: Protocol<RunnerMessage, HostMessage> = createProtocol({ receives: toHost, sends: toRunner });

/** The protocol of a runner's end. */
export const RUNNER_SIDE: Protocol<HostMessage, RunnerMessage> = createProtocol({ receives: toRunner, sends: toHost });
