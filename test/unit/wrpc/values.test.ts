import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TypeShape } from "../../../src/contract/wit-shapes.ts";
import { compileType, type ValueCodec } from "../../../src/wrpc/value-codec.ts";
import { ValueReader } from "../../../src/wrpc/value-reader.ts";
import { ValueWriter } from "../../../src/wrpc/value-writer.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";
import { type ShapeCase, shapeCases } from "./shapes.ts";

const compile = (shape: TypeShape): ValueCodec =>
  compileType(shape, (name) => {
    throw new Error(`no type ${name}`);
  });

function encode(codec: ValueCodec, value: unknown): Buffer {
  const writer = new ValueWriter();
  codec.write(value, writer);
  const { length } = writer;
  const bytes = Buffer.concat(writer.finish());
  expect(bytes.length).toBe(length);
  return bytes;
}

function decode(codec: ValueCodec, bytes: Uint8Array, maxBytes = bytes.length) {
  const reader = new ValueReader(bytes, maxBytes);
  const value = codec.read(reader);
  return { value: withPlainBytes(value), flaw: reader.flaw, offset: reader.offset };
}

/** The value with each `Buffer` as a `Uint8Array`, which is all that the type promises. */
function withPlainBytes(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return Uint8Array.from(value);
  if (Array.isArray(value)) return value.map(withPlainBytes);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withPlainBytes(part)]));
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

/** What the Rust crates send. */
const CAPTURED: readonly (readonly [TypeShape, unknown, string])[] = [
  ["bool", true, "01"],
  ["u8", 200, "c8"],
  ["s8", -1, "ff"],
  ["u16", 503, "f703"],
  ["u32", 300, "ac02"],
  ["u64", 300n, "ac02"],
  ["s16", -2, "7e"],
  ["s32", -1, "7f"],
  ["s64", -1n, "7f"],
  ["f32", 1.5, "0000c03f"],
  ["char", "é", "c3a9"],
  ["string", "hi", "026869"],
  [{ list: "u8" }, Uint8Array.of(1, 2), "020102"],
  [{ list: "u16" }, [503, 1], "02f70301"],
  [{ option: "u8" }, undefined, "00"],
  [{ option: "u8" }, 7, "0107"],
  [{ result: { ok: null, err: "string" } }, { tag: "ok" }, "00"],
  [{ result: { ok: null, err: "string" } }, { tag: "err", val: "no" }, "01026e6f"],
  [{ variant: { none: null, some: "u16" } }, { tag: "some", val: 503 }, "01f703"],
  [{ enum: ["a", "b"] }, "b", "01"],
  [{ record: { "first-field": "u8", second: "bool" } }, { firstField: 9, second: false }, "0900"],
  [{ tuple: ["u8", "string"] }, [1, "a"], "010161"],
  [{ flags: ["a", "b", "c"] }, 0b101, "05"],
  [{ flags: ["a", "b", "c", "d", "e", "f", "g", "h", "i"] }, 0x101, "0101"],
];

describe("values", () => {
  test.each(CAPTURED)("of %o are what the Rust crates send: %o", (shape, value, bytes) => {
    const codec = compile(shape);
    expect(encode(codec, value).toString("hex")).toBe(bytes);
    expect(decode(codec, hex(bytes))).toEqual({ value, flaw: undefined, offset: bytes.length / 2 });
  });

  test(
    "of all types survive a round trip, and every prefix of their bytes asks for more that is there",
    () => {
      fc.assert(
        fc.property(shapeCases, ({ shape, value }: ShapeCase) => {
          const codec = compile(shape);
          const bytes = encode(codec, value);
          expect(bytes.length).toBeGreaterThanOrEqual(codec.minBytes);
          expect(decode(codec, bytes)).toEqual({ value, flaw: undefined, offset: bytes.length });
          for (const end of new Set([0, 1, bytes.length >> 1, bytes.length - 1])) {
            if (end >= bytes.length) continue;
            const { flaw } = decode(codec, bytes.subarray(0, end), bytes.length);
            expect(flaw).toMatchObject({ kind: "short" });
            const needBytes = flaw?.kind === "short" ? flaw.needBytes : 0;
            expect(needBytes).toBeGreaterThan(end);
            expect(needBytes).toBeLessThanOrEqual(bytes.length);
          }
        }),
        { numRuns: 2_000 },
      );
    },
    PROPERTY_TIME_MS,
  );

  test(
    "of random and damaged bytes are read or refused, and what is read can be written again",
    () => {
      fc.assert(
        fc.property(
          shapeCases,
          fc.uint8Array({ maxLength: 64 }),
          fc.nat(),
          fc.nat(0xff),
          ({ shape, value }, noise, at, byte) => {
            const codec = compile(shape);
            const damaged = encode(codec, value);
            if (damaged.length > 0) damaged[at % damaged.length] = byte;
            for (const bytes of [noise, damaged]) {
              const read = decode(codec, bytes, bytes.length + 8);
              expect(read.offset).toBeLessThanOrEqual(bytes.length);
              if (read.flaw !== undefined) continue;
              const again = encode(codec, read.value);
              expect(decode(codec, again).value).toEqual(read.value);
            }
          },
        ),
        { numRuns: 3_000 },
      );
    },
    PROPERTY_TIME_MS,
  );
});

describe("a number", () => {
  test.each([
    ["u16", "ffff03", 0xffff],
    ["u32", "ffffffff0f", 0xffff_ffff],
    ["s16", "80807e", -0x8000],
    ["s32", "8080808078", -0x8000_0000],
    ["u64", "ffffffffffffffffff01", 2n ** 64n - 1n],
    ["s64", "8080808080808080807f", -(2n ** 63n)],
    // Padded, but no longer than the type's longest number: the Wasm format allows it.
    ["u16", "818000", 1],
    ["u32", "8180808000", 1],
    ["s16", "ffff7f", -1],
  ] as const)("of type %s may be %s", (type, bytes, value) => {
    expect(decode(compile(type), hex(bytes))).toEqual({ value, flaw: undefined, offset: bytes.length / 2 });
  });

  test.each([
    ["u16", "808004"],
    ["u16", "81808000"],
    ["u32", "8080808010"],
    ["u32", "818080808000"],
    ["s16", "808002"],
    ["s16", "ffff7d"],
    ["s32", "8080808008"],
    ["s32", "808080808000"],
    ["u64", "80808080808080808002"],
    ["u64", "8080808080808080808000"],
    ["s64", "80808080808080808001"],
    ["s64", "8080808080808080808000"],
  ] as const)("of type %s that is too large or too long is refused: %s", (type, bytes) => {
    expect(decode(compile(type), hex(bytes)).flaw).toEqual({
      kind: "malformed",
      problem: `a number has more than ${type.slice(1)} bits`,
    });
  });
});

describe("a value is refused", () => {
  test.each([
    ["bool", "02", "a bool is neither 0 nor 1"],
    ["string", "01ff", "a string is not UTF-8"],
    ["string", "03eda080", "a string is not UTF-8"],
    ["string", "02c080", "a string is not UTF-8"],
    ["char", "ff", "a string is not UTF-8"],
    ["char", "eda080", "a string is not UTF-8"],
    [{ option: "u8" }, "02", "a variant of 2 cases has no case 2"],
    [{ enum: ["a"] }, "01", "an enum of 1 cases has no case 1"],
    [{ flags: ["a", "b", "c"] }, "08", "flags of 3 names have another bit"],
  ] as const)("%j: %s", (shape, bytes, problem) => {
    const padded = Buffer.concat([hex(bytes), Buffer.alloc(4)]);
    expect(decode(compile(shape as TypeShape), padded).flaw).toEqual({ kind: "malformed", problem });
  });

  test.each([
    ["a string", "string", "ffffffff0f"],
    ["bytes", { list: "u8" }, "ffffffff0f"],
    ["a list", { list: "string" }, "ffffffff0f"],
    ["a list of large elements", { list: { tuple: ["f64", "f64"] } }, "08"],
  ] as const)("before anything is allocated, where %s announces more than is allowed", (_, shape, bytes) => {
    const before = process.memoryUsage().arrayBuffers;
    const { flaw } = decode(compile(shape), hex(bytes), 100);
    expect(flaw).toMatchObject({ kind: "too-large" });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
  });

  test("of a list of many elements, none is made until all can be there", () => {
    const made: unknown[] = [];
    const element: ValueCodec = {
      minBytes: 1,
      read: (from) => made.push(from.u8()),
      write: () => undefined,
    };
    const list = compileType({ list: { type: "counted" } }, () => element);
    expect(decode(list, hex("64 00 00 00"), 1_000).flaw).toEqual({ kind: "short", needBytes: 101 });
    expect(made).toEqual([]);
  });
});

test("resources are not passed", () => {
  expect(() => compile({ own: "a:b/c#d" })).toThrow(/cannot be passed over wRPC/);
});
