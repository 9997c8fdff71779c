import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FieldReader } from "../../../src/channel/field-reader.ts";
import { FrameAssembler, type FrameRules, LARGE_FRAME_BYTES } from "../../../src/channel/frame-assembler.ts";
import { FrameWriter } from "../../../src/channel/frame-writer.ts";
import {
  HOST_SIDE,
  type HostMessage,
  RUNNER_SIDE,
  type RunnerMessage,
} from "../../../src/channel/messages/messages.ts";
import type { Protocol } from "../../../src/channel/protocol.ts";
import { Violation } from "../../../src/channel/violation.ts";
import { HTTP_ERROR_CODES } from "../../../src/contract/http.ts";
import { PLUGIN_LIMITS } from "../../../src/contract/limits.ts";
import { MAX_BUCKET_CHARACTERS } from "../../../src/contract/names.ts";
import { METHOD_MAX_BYTES, REQUEST_ID_MAX_BYTES } from "../../../src/contract/protocol.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

const u32 = fc.nat({ max: 0xffff_ffff });
const text = fc.string({ unit: "binary", maxLength: 400 });
const bytes = fc.uint8Array({ maxLength: 70_000, size: "medium" });
/** Part of a body of an exchange: no more than a window. */
const part = fc.uint8Array({ maxLength: 65_536, size: "medium" });
/** Of so many bytes of UTF-8, whatever the characters are. */
const shortText = (maxBytes: number): fc.Arbitrary<string> =>
  fc.string({ unit: "binary", maxLength: Math.floor(maxBytes / 4) });

const fields = fc.array(fc.tuple(text, fc.uint8Array({ maxLength: 100 })), { maxLength: 8 });
/** One number stands for none. */
const optional = fc.option(fc.nat({ max: 0xffff_fffe }), { nil: undefined });

const hostMessage: fc.Arbitrary<HostMessage> = fc.oneof(
  fc.record({ kind: fc.constant("http-wanted" as const), exchange: u32, bytes: u32 }),
  fc.record({
    kind: fc.constant("http-response" as const),
    exchange: u32,
    response: fc.record({ status: fc.nat({ max: 65_535 }), fields }),
  }),
  fc.record({ kind: fc.constant("http-chunk" as const), exchange: u32, bytes: part }),
  fc.record({ kind: fc.constant("http-end" as const), exchange: u32, trailers: fields }),
  fc.record({
    kind: fc.constant("http-failed" as const),
    exchange: u32,
    failure: fc.record(
      { code: fc.constantFrom(...HTTP_ERROR_CODES), bytes: fc.nat({ max: 0xffff_fffe }), detail: text },
      { requiredKeys: ["code"] },
    ),
  }),
  fc.record({ kind: fc.constant("probe" as const), call: u32, due: u32 }),
  fc.record({
    kind: fc.constant("request" as const),
    call: u32,
    due: u32,
    request: fc.record({
      id: shortText(REQUEST_ID_MAX_BYTES),
      method: shortText(METHOD_MAX_BYTES),
      payload: bytes,
    }),
  }),
  fc.record({
    kind: fc.constant("key-value-result" as const),
    op: u32,
    result: fc.oneof(
      fc.record({ kind: fc.constant("value" as const), value: bytes }),
      fc.record({ kind: fc.constant("none" as const) }),
      fc.record({ kind: fc.constant("error" as const), message: text }),
    ),
  }),
  fc.record({ kind: fc.constant("cancel" as const), call: u32 }),
  fc.record({ kind: fc.constant("ping" as const), nonce: u32 }),
);

const runnerMessage: fc.Arbitrary<RunnerMessage> = fc.oneof(
  fc.record({
    kind: fc.constant("http-request" as const),
    call: u32,
    exchange: u32,
    request: fc.record({
      method: text,
      scheme: text,
      authority: text,
      path: text,
      fields,
      hasBody: fc.boolean(),
      connectMs: optional,
      firstByteMs: optional,
      betweenBytesMs: optional,
    }),
  }),
  fc.record({ kind: fc.constant("http-body" as const), exchange: u32, bytes: part }),
  fc.record({ kind: fc.constant("http-finish" as const), exchange: u32 }),
  fc.record({ kind: fc.constant("http-read" as const), exchange: u32, bytes: u32 }),
  fc.record({ kind: fc.constant("http-abort" as const), exchange: u32 }),
  fc.record({ kind: fc.constant("ready" as const) }),
  fc.record({ kind: fc.constant("failed" as const), message: text, isLasting: fc.boolean() }),
  fc.record({ kind: fc.constant("levels" as const), call: u32, levels: fc.nat({ max: 255 }) }),
  fc.record({
    kind: fc.constant("key-value" as const),
    call: u32,
    op: u32,
    operation: fc.oneof(
      fc.record({ kind: fc.constant("get" as const), bucket: text, key: text }),
      fc.record({ kind: fc.constant("set" as const), bucket: text, key: text, value: bytes }),
    ),
  }),
  fc.record({
    kind: fc.constant("log" as const),
    call: u32,
    level: fc.constantFrom("info" as const, "warning" as const, "error" as const),
    message: text,
  }),
  fc.record({
    kind: fc.constant("output" as const),
    call: u32,
    stream: fc.constantFrom(1 as const, 2 as const),
    text,
  }),
  fc.record({
    kind: fc.constant("dropped" as const),
    call: u32,
    dropped: fc.record({ lines: u32, bytes: u32, missedBytes: u32, missedLines: u32 }),
  }),
  fc.record({
    kind: fc.constant("response" as const),
    call: u32,
    response: fc.record({ status: fc.nat({ max: 65_535 }), body: bytes }),
  }),
  fc.record({ kind: fc.constant("oversize" as const), call: u32, bytes: u32 }),
  fc.record({ kind: fc.constant("plugin-error" as const), call: u32, message: text }),
  fc.record({ kind: fc.constant("trap" as const), call: u32, message: text }),
  fc.record({ kind: fc.constant("pong" as const), nonce: u32 }),
  fc.record({ kind: fc.constant("instance-made" as const), micros: u32 }),
);

/** What comes out of the stream when `from` writes these messages and they arrive at `to` in pieces of these sizes. */
function transmit<Sent, Received>(
  messages: readonly Sent[],
  pieceSizes: readonly number[],
  from: Protocol<unknown, Sent>,
  to: Protocol<Received, unknown>,
): (Received | Violation)[] {
  const writer = new FrameWriter();
  for (const message of messages) from.encode(message, writer);
  const stream = Buffer.concat(writer.take());
  const assembler = new FrameAssembler((tag) => to.rule(tag));
  const received: (Received | Violation)[] = [];
  for (let at = 0, turn = 0; at < stream.length; turn += 1) {
    const size = pieceSizes[turn % pieceSizes.length] as number;
    assembler.push(stream.subarray(at, at + size));
    at += size;
    for (let frame = assembler.next(); frame !== undefined; frame = assembler.next()) {
      if (frame instanceof Violation) return [...received, frame];
      received.push(to.decode(frame.tag, frame.payload));
    }
  }
  return received;
}

function toRunner(messages: readonly HostMessage[], pieceSizes: readonly number[]): (HostMessage | Violation)[] {
  return transmit(messages, pieceSizes, HOST_SIDE, RUNNER_SIDE);
}

function toHost(messages: readonly RunnerMessage[], pieceSizes: readonly number[]): (RunnerMessage | Violation)[] {
  return transmit(messages, pieceSizes, RUNNER_SIDE, HOST_SIDE);
}

/** The tag that a runner's message has. */
function tagOf(message: RunnerMessage): number {
  const writer = new FrameWriter();
  RUNNER_SIDE.encode(message, writer);
  return Buffer.concat(writer.take())[4] as number;
}

const NO_HTTP_REQUEST = {
  method: "",
  scheme: "",
  authority: "",
  path: "",
  hasBody: false,
  connectMs: undefined,
  firstByteMs: undefined,
  betweenBytesMs: undefined,
  fields: [],
};

const TAGS = {
  failed: tagOf({ kind: "failed", message: "", isLasting: true }),
  log: tagOf({ kind: "log", call: 1, level: "info", message: "" }),
  response: tagOf({ kind: "response", call: 1, response: { status: 200, body: Buffer.alloc(0) } }),
  pong: tagOf({ kind: "pong", nonce: 1 }),
  "key-value": tagOf({ kind: "key-value", call: 1, op: 1, operation: { kind: "get", bucket: "", key: "" } }),
  "http-request": tagOf({ kind: "http-request", call: 1, exchange: 1, request: NO_HTTP_REQUEST }),
  unknown: 255,
};

const NAME_BYTES = 3 * MAX_BUCKET_CHARACTERS;
const KEY_BYTES = 3 * PLUGIN_LIMITS.keyBytes.max;
const VALUE_BYTES = PLUGIN_LIMITS.valueBytes.max;

/** A frame that a runner would send, as the host reads it. */
function fromRunner(tag: number, payload: Uint8Array): RunnerMessage | Violation {
  const assembler = new FrameAssembler((known) => HOST_SIDE.rule(known));
  assembler.push(Buffer.concat([header(tag, payload.length), payload]));
  const frame = assembler.next();
  if (frame === undefined || frame instanceof Violation) return frame ?? new Violation("there is no frame");
  return HOST_SIDE.decode(frame.tag, frame.payload);
}

function header(tag: number, payloadBytes: number): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32LE(payloadBytes, 0);
  head[4] = tag;
  return head;
}

/** Byte fields compare by content, whether they are a Buffer's view or an array of its own. */
function normal(message: unknown): unknown {
  return JSON.parse(
    JSON.stringify(message, (_key, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value,
    ),
    (_key, value: unknown) =>
      typeof value === "object" && value !== null && "type" in value && value.type === "Buffer" && "data" in value
        ? Buffer.from(value.data as number[]).toString("base64")
        : value,
  );
}

const pieces = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 20 });

describe("frames between host and runner", () => {
  test("host messages arrive as they were sent, however the stream is cut", () => {
    fc.assert(
      fc.property(fc.array(hostMessage, { maxLength: 8 }), pieces, (messages, sizes) => {
        expect(toRunner(messages, sizes).map(normal)).toEqual(messages.map(normal));
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
  });

  test("runner messages arrive as they were sent, however the stream is cut", () => {
    fc.assert(
      fc.property(fc.array(runnerMessage, { maxLength: 8 }), pieces, (messages, sizes) => {
        expect(toHost(messages, sizes).map(normal)).toEqual(messages.map(normal));
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
  });

  test("a value of fifteen mebibytes arrives whole", () => {
    const value = Buffer.alloc(15 * 1024 * 1024, "abc");
    const [message] = toRunner([{ kind: "key-value-result", op: 7, result: { kind: "value", value } }], [65_536]);
    const result = message instanceof Violation || message?.kind !== "key-value-result" ? undefined : message.result;
    expect(result?.kind === "value" && value.equals(result.value)).toBe(true);
  });

  test("arbitrary bytes from a runner are a violation or a message, and nothing is thrown", () => {
    fc.assert(
      fc.property(fc.nat({ max: 255 }), fc.uint8Array({ maxLength: 64 }), (tag, payload) => {
        const read = fromRunner(tag, payload);
        if (!(read instanceof Violation)) expect(read).toHaveProperty("kind");
      }),
      { numRuns: 5_000, interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
  });

  test.each([
    [LARGE_FRAME_BYTES - 1, "views"],
    [LARGE_FRAME_BYTES, "buffers of their own"],
    [LARGE_FRAME_BYTES + 1, "buffers of their own"],
  ])("payloads of %i bytes are %s, however the stream is cut", (bytes, what) => {
    const rules: FrameRules = () => ({ maxBytes: bytes, memory: "own" });
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes - 4);
    const frames = [1, 2, 3].map((fill) => Buffer.concat([header(0, bytes), length, Buffer.alloc(bytes - 4, fill)]));
    const stream = Buffer.concat(frames);
    for (const size of [1_000, bytes, bytes + 5, bytes + 7, stream.length]) {
      const assembler = new FrameAssembler(rules);
      const payloads: Buffer[] = [];
      for (let at = 0; at < stream.length; at += size) {
        assembler.push(stream.subarray(at, at + size));
        for (let frame = assembler.next(); frame !== undefined; frame = assembler.next()) {
          if (frame instanceof Violation) throw new Error(frame.reason);
          payloads.push(frame.payload.bytes(bytes));
        }
        expect(assembler.hasFrame).toBe(false);
      }
      expect(payloads.map((payload) => [payload.length, payload[0], payload.at(-1)])).toEqual(
        [1, 2, 3].map((fill) => [bytes - 4, fill, fill]),
      );
      const own = payloads.filter((payload) => payload.buffer.byteLength === bytes);
      expect(own).toHaveLength(what === "views" ? 0 : 3);
    }
  });

  test("a large value for the store arrives in memory that threads can share, and nothing else does", () => {
    const value = Buffer.alloc(LARGE_FRAME_BYTES, "v");
    const [set, response] = toHost(
      [
        { kind: "key-value", call: 1, op: 2, operation: { kind: "set", bucket: "b", key: "k", value } },
        { kind: "response", call: 1, response: { status: 200, body: value } },
      ],
      [65_536],
    ) as RunnerMessage[];
    const stored = set?.kind === "key-value" && set.operation.kind === "set" ? set.operation.value : undefined;
    const answered = response?.kind === "response" ? response.response.body : undefined;
    expect(stored?.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(answered?.buffer).toBeInstanceOf(ArrayBuffer);
    for (const bytes of [stored, answered]) expect(Buffer.compare(bytes as Uint8Array, value)).toBe(0);
  });

  test.each([
    ["an answer to a ping", TAGS.pong, 4],
    ["a response", TAGS.response, 4 + 2 + 4 + PLUGIN_LIMITS.replyBytes.max],
    ["the largest write", TAGS["key-value"], 4 + 4 + 1 + 4 + NAME_BYTES + 4 + KEY_BYTES + 4 + VALUE_BYTES],
  ])("a frame that is larger than %s can be is refused before any of it is awaited", (_what, tag, mostBytes) => {
    const assembler = new FrameAssembler((known) => HOST_SIDE.rule(known));
    assembler.push(header(tag, mostBytes));
    expect(assembler.next()).toBeUndefined();
    const other = new FrameAssembler((known) => HOST_SIDE.rule(known));
    other.push(header(tag, mostBytes + 1));
    expect(other.next()).toBeInstanceOf(Violation);
  });

  test.each([
    ["text that is not UTF-8", TAGS.failed, Buffer.from([1, 0, 0, 0, 0xff, 0]), "not UTF-8"],
    ["a field that reaches past the frame", TAGS.failed, Buffer.from([9, 0, 0, 0, 0x61]), "past the end"],
    ["bytes behind the last field", TAGS.response, Buffer.from([1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 7]), "1 bytes too many"],
    ["an unknown log level", TAGS.log, Buffer.from([1, 0, 0, 0, 3, 0, 0, 0, 0]), "unknown log level"],
    ["a flag that is neither", TAGS.failed, Buffer.from([0, 0, 0, 0, 2]), "neither 0 nor 1"],
    ["an unknown tag", TAGS.unknown, Buffer.alloc(0), "unknown tag"],
    ["a list of more items than one may have", TAGS["http-request"], listOf(1_025), "at most 1024"],
    [
      "a field beyond its bound",
      TAGS["key-value"],
      Buffer.from([...new Uint8Array(8), 0, 0, 16, 0, 0]),
      "at most 3072",
    ],
  ])("%s is refused", (_what, tag, payload, why) => {
    expect(fromRunner(tag, payload)).toMatchObject({ reason: expect.stringContaining(why) as string });
  });

  test("what is read behind a violation is empty, and the first violation is the one that is told", () => {
    const reader = new FieldReader(Buffer.from([9, 0, 0, 0, 0x61, 1, 2, 3, 4]));
    expect(reader.text(100)).toBe("");
    expect([reader.u8(), reader.u16(), reader.u32(), reader.text(9), reader.bytes(9).length]).toEqual([0, 0, 0, "", 0]);
    expect(reader.end()?.reason).toContain("past the end");
  });
});

/** The beginning of a request whose header fields are so many. */
function listOf(items: number): Buffer {
  const request = Buffer.alloc(4 + 4 + 4 * 4 + 1 + 3 * 4 + 2);
  request.writeUInt16LE(items, request.length - 2);
  return request;
}
