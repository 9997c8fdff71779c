import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FrameAssembler, LARGE_FRAME_BYTES, MAX_FRAME_BYTES } from "../../../src/channel/frame-assembler.ts";
import { FieldReader, FrameError } from "../../../src/channel/codec.ts";
import { HTTP_ERROR_CODES } from "../../../src/contract/http.ts";
import { FrameWriter } from "../../../src/channel/frame-writer.ts";
import {
  decodeHostMessage,
  decodeRunnerMessage,
  encodeMessage,
  type HostMessage,
  type RunnerMessage,
} from "../../../src/channel/messages.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

const u32 = fc.nat({ max: 0xffff_ffff });
const text = fc.string({ unit: "binary", maxLength: 400 });
const bytes = fc.uint8Array({ maxLength: 70_000, size: "medium" });

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
  fc.record({ kind: fc.constant("http-chunk" as const), exchange: u32, bytes }),
  fc.record({ kind: fc.constant("http-end" as const), exchange: u32, trailers: fields }),
  fc.record({
    kind: fc.constant("http-failed" as const),
    exchange: u32,
    failure: fc.record(
      { code: fc.constantFrom(...HTTP_ERROR_CODES), bytes: fc.nat({ max: 0xffff_fffe }), detail: text },
      { requiredKeys: ["code"] },
    ),
  }),
  fc.record({ kind: fc.constant("probe" as const), call: u32 }),
  fc.record({
    kind: fc.constant("request" as const),
    call: u32,
    request: fc.record({ id: text, method: text, payload: bytes }),
  }),
  fc.record({
    kind: fc.constant("result" as const),
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
  fc.record({ kind: fc.constant("http-body" as const), exchange: u32, bytes }),
  fc.record({ kind: fc.constant("http-finish" as const), exchange: u32 }),
  fc.record({ kind: fc.constant("http-read" as const), exchange: u32, bytes: u32 }),
  fc.record({ kind: fc.constant("http-abort" as const), exchange: u32 }),
  fc.record({ kind: fc.constant("ready" as const) }),
  fc.record({ kind: fc.constant("failed" as const), message: text, isLasting: fc.boolean() }),
  fc.record({ kind: fc.constant("levels" as const), call: u32, levels: fc.nat({ max: 255 }) }),
  fc.record({ kind: fc.constant("kv-get" as const), call: u32, op: u32, bucket: text, key: text }),
  fc.record({ kind: fc.constant("kv-set" as const), call: u32, op: u32, bucket: text, key: text, value: bytes }),
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

/** What comes out of the stream when these messages are written and arrive in pieces of these sizes. */
function transmit<Message>(
  messages: readonly (HostMessage | RunnerMessage)[],
  pieceSizes: readonly number[],
  decode: (kind: number, payload: FieldReader) => Message,
): Message[] {
  const writer = new FrameWriter();
  for (const message of messages) encodeMessage(message, writer);
  const stream = Buffer.concat(writer.take());
  const assembler = new FrameAssembler();
  const received: Message[] = [];
  for (let at = 0, turn = 0; at < stream.length; turn += 1) {
    const size = pieceSizes[turn % pieceSizes.length] as number;
    assembler.push(stream.subarray(at, at + size));
    at += size;
    for (let frame = assembler.next(); frame !== undefined; frame = assembler.next()) {
      received.push(decode(frame.kind, frame.payload));
    }
  }
  return received;
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
        expect(transmit(messages, sizes, decodeHostMessage).map(normal)).toEqual(messages.map(normal));
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
  });

  test("runner messages arrive as they were sent, however the stream is cut", () => {
    fc.assert(
      fc.property(fc.array(runnerMessage, { maxLength: 8 }), pieces, (messages, sizes) => {
        expect(transmit(messages, sizes, decodeRunnerMessage).map(normal)).toEqual(messages.map(normal));
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
  });

  test("a value of fifteen mebibytes arrives whole", () => {
    const value = Buffer.alloc(15 * 1024 * 1024, "abc");
    const [message] = transmit(
      [{ kind: "result", op: 7, result: { kind: "value", value } }],
      [65_536],
      decodeHostMessage,
    );
    expect(message?.kind === "result" && message.result.kind === "value" && value.equals(message.result.value)).toBe(
      true,
    );
  });

  test("arbitrary bytes from a runner are a FrameError or a message, never another error", () => {
    fc.assert(
      fc.property(fc.nat({ max: 255 }), fc.uint8Array({ maxLength: 64 }), (kind, payload) => {
        try {
          expect(decodeRunnerMessage(kind, new FieldReader(Buffer.from(payload)))).toHaveProperty("kind");
        } catch (error) {
          expect(error).toBeInstanceOf(FrameError);
        }
      }),
      { numRuns: 5_000, interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
  });

  test.each([
    [LARGE_FRAME_BYTES - 1, "views"],
    [LARGE_FRAME_BYTES, "buffers of their own"],
    [LARGE_FRAME_BYTES + 1, "buffers of their own"],
  ])("payloads of %i bytes are %s, however the stream is cut", (bytes, what) => {
    const head = Buffer.alloc(5);
    head.writeUInt32LE(bytes, 0);
    const frames = [1, 2, 3].map((fill) => Buffer.concat([head, Buffer.alloc(bytes, fill)]));
    const stream = Buffer.concat(frames);
    for (const size of [1_000, bytes, bytes + 5, bytes + 7, stream.length]) {
      const assembler = new FrameAssembler();
      const payloads: Buffer[] = [];
      for (let at = 0; at < stream.length; at += size) {
        assembler.push(stream.subarray(at, at + size));
        for (let frame = assembler.next(); frame !== undefined; frame = assembler.next()) {
          payloads.push(frame.payload.rest());
        }
        expect(assembler.hasFrame).toBe(false);
      }
      expect(payloads.map((payload) => [payload.length, payload[0], payload.at(-1)])).toEqual(
        [1, 2, 3].map((fill) => [bytes, fill, fill]),
      );
      const own = payloads.filter((payload) => payload.buffer.byteLength === bytes);
      expect(own).toHaveLength(what === "views" ? 0 : 3);
    }
  });

  test("a large value for the store arrives in memory that threads can share, and nothing else does", () => {
    const value = Buffer.alloc(LARGE_FRAME_BYTES, "v");
    const [set, response] = transmit<RunnerMessage>(
      [
        { kind: "kv-set", call: 1, op: 2, bucket: "b", key: "k", value },
        { kind: "response", call: 1, response: { status: 200, body: value } },
      ],
      [65_536],
      decodeRunnerMessage,
    );
    const stored = set?.kind === "kv-set" ? set.value : undefined;
    const answered = response?.kind === "response" ? response.response.body : undefined;
    expect(stored?.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(answered?.buffer).toBeInstanceOf(ArrayBuffer);
    for (const bytes of [stored, answered]) expect(Buffer.compare(bytes as Uint8Array, value)).toBe(0);
  });

  test("a length beyond the cap is refused before any of it is awaited", () => {
    const assembler = new FrameAssembler();
    const head = Buffer.alloc(5);
    head.writeUInt32LE(MAX_FRAME_BYTES + 1, 0);
    assembler.push(head);
    expect(() => assembler.next()).toThrow(FrameError);
  });

  test.each([
    ["text that is not UTF-8", 17, Buffer.from([1, 0, 0, 0, 0xff])],
    ["a field that reaches past the frame", 17, Buffer.from([9, 0, 0, 0, 0x61])],
    ["bytes behind the last field", 28, Buffer.from([1, 0, 0, 0, 0])],
    ["an unknown log level", 21, Buffer.from([1, 0, 0, 0, 3, 0, 0, 0, 0])],
    ["an unknown kind", 99, Buffer.alloc(0)],
  ])("%s is refused", (_what, kind, payload) => {
    expect(() => decodeRunnerMessage(kind, new FieldReader(payload))).toThrow(FrameError);
  });
});
