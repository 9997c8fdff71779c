/**
 * The primitive types. Integers from a guest are cut to their width, as the specification demands. A character that is not
 * a Unicode scalar value traps.
 *
 * @module
 */

import { createTrap } from "../guest/trap.ts";
import type { PrimitiveType } from "../../contract/primitive-types.ts";
import type { LiftLowerContext } from "./lift-lower-context.ts";
import type { CompiledType, FlatType } from "./compiled-type.ts";

/** What differs from one number type to another. */
interface NumberType<Value> {
  readonly size: number;
  readonly flat: FlatType;
  load(view: DataView, at: number): Value;
  store(view: DataView, value: Value, at: number): void;
  /** A core value as a value of the type. */
  fromFlat(flat: never): Value;
  /** A value of the host as a value of the type; traps where it is not a number of that kind. */
  expect(value: unknown): Value;
}

function numberType<Value extends number | bigint>(type: NumberType<Value>): CompiledType {
  const { size, flat } = type;
  return {
    size,
    align: size,
    flat: [flat],
    load: ({ memory }, at) => type.load(memory.view, at),
    store: ({ memory }, value, at) => type.store(memory.view, type.expect(value), at),
    liftFlat: (_, values, index) => type.fromFlat(values[index] as never),
    lowerFlat: (_, value, values, index) => {
      values[index] = type.expect(value);
    },
  };
}

function expectNumber(value: unknown): number {
  if (typeof value !== "number") throw createTrap("a value is not a number");
  return value;
}

function expectBigInt(value: unknown): bigint {
  if (typeof value !== "bigint") throw createTrap("a value is not a 64-bit integer");
  return value;
}

const U8 = numberType({
  size: 1,
  flat: "i32",
  load: (view, at) => view.getUint8(at),
  store: (view, value: number, at) => view.setUint8(at, value),
  fromFlat: (flat: number) => flat & 0xff,
  expect: (value) => expectNumber(value) & 0xff,
});

const S8 = numberType({
  size: 1,
  flat: "i32",
  load: (view, at) => view.getInt8(at),
  store: (view, value: number, at) => view.setInt8(at, value),
  fromFlat: (flat: number) => (flat << 24) >> 24,
  expect: (value) => (expectNumber(value) << 24) >> 24,
});

const U16 = numberType({
  size: 2,
  flat: "i32",
  load: (view, at) => view.getUint16(at, true),
  store: (view, value: number, at) => view.setUint16(at, value, true),
  fromFlat: (flat: number) => flat & 0xffff,
  expect: (value) => expectNumber(value) & 0xffff,
});

const S16 = numberType({
  size: 2,
  flat: "i32",
  load: (view, at) => view.getInt16(at, true),
  store: (view, value: number, at) => view.setInt16(at, value, true),
  fromFlat: (flat: number) => (flat << 16) >> 16,
  expect: (value) => (expectNumber(value) << 16) >> 16,
});

const U32 = numberType({
  size: 4,
  flat: "i32",
  load: (view, at) => view.getUint32(at, true),
  store: (view, value: number, at) => view.setUint32(at, value, true),
  fromFlat: (flat: number) => flat >>> 0,
  expect: (value) => expectNumber(value) >>> 0,
});

const S32 = numberType({
  size: 4,
  flat: "i32",
  load: (view, at) => view.getInt32(at, true),
  store: (view, value: number, at) => view.setInt32(at, value, true),
  fromFlat: (flat: number) => flat | 0,
  expect: (value) => expectNumber(value) | 0,
});

const U64 = numberType({
  size: 8,
  flat: "i64",
  load: (view, at) => view.getBigUint64(at, true),
  store: (view, value: bigint, at) => view.setBigUint64(at, value, true),
  fromFlat: (flat: bigint) => BigInt.asUintN(64, flat),
  expect: (value) => BigInt.asUintN(64, expectBigInt(value)),
});

const S64 = numberType({
  size: 8,
  flat: "i64",
  load: (view, at) => view.getBigInt64(at, true),
  store: (view, value: bigint, at) => view.setBigInt64(at, value, true),
  fromFlat: (flat: bigint) => BigInt.asIntN(64, flat),
  expect: (value) => BigInt.asIntN(64, expectBigInt(value)),
});

const F32 = numberType({
  size: 4,
  flat: "f32",
  load: (view, at) => view.getFloat32(at, true),
  store: (view, value: number, at) => view.setFloat32(at, value, true),
  fromFlat: (flat: number) => flat,
  expect: (value) => Math.fround(expectNumber(value)),
});

const F64 = numberType({
  size: 8,
  flat: "f64",
  load: (view, at) => view.getFloat64(at, true),
  store: (view, value: number, at) => view.setFloat64(at, value, true),
  fromFlat: (flat: number) => flat,
  expect: expectNumber,
});

/** A type that is passed as another type: `from` and `to` translate its values. */
export function translated(
  type: CompiledType,
  from: (value: number) => unknown,
  to: (value: unknown) => number,
): CompiledType {
  return {
    ...type,
    load: (cx, at) => from(type.load(cx, at) as number),
    store: (cx, value, at) => type.store(cx, to(value), at),
    liftFlat: (_, flat, index) => from((flat[index] as number) >>> 0),
    lowerFlat: (_, value, flat, index) => {
      flat[index] = to(value);
    },
  };
}

const BOOL = translated(
  U8,
  (value) => value !== 0,
  (value) => (value === true ? 1 : 0),
);

const CODE_POINT_END = 0x11_0000;

function isSurrogate(codePoint: number): boolean {
  return codePoint >= 0xd800 && codePoint <= 0xdfff;
}

const CHAR = translated(
  U32,
  (codePoint) => {
    if (codePoint >= CODE_POINT_END || isSurrogate(codePoint)) throw createTrap("a char is not a Unicode scalar value");
    return String.fromCodePoint(codePoint);
  },
  (value) => {
    const codePoint = typeof value === "string" ? value.codePointAt(0) : undefined;
    if (codePoint === undefined || isSurrogate(codePoint)) throw createTrap("a value is not a char");
    return codePoint;
  },
);

const STRING: CompiledType = {
  size: 8,
  align: 4,
  flat: ["i32", "i32"],
  load(cx, at) {
    const { view } = cx.memory;
    return cx.strings.load(cx, view.getUint32(at, true), view.getUint32(at + 4, true));
  },
  store(cx, value, at) {
    const { pointer, length } = cx.strings.store(cx, value as string);
    storePair(cx, at, pointer, length);
  },
  liftFlat: (cx, flat, index) => cx.strings.load(cx, (flat[index] as number) >>> 0, (flat[index + 1] as number) >>> 0),
  lowerFlat(cx, value, flat, index) {
    const { pointer, length } = cx.strings.store(cx, value as string);
    flat[index] = pointer;
    flat[index + 1] = length;
  },
};

/** Stores a pointer and a length, the form of strings and lists in memory. */
export function storePair({ memory }: LiftLowerContext, at: number, pointer: number, length: number): void {
  memory.view.setUint32(at, pointer, true);
  memory.view.setUint32(at + 4, length, true);
}

export const PRIMITIVES: Readonly<Record<PrimitiveType, CompiledType>> = {
  bool: BOOL,
  s8: S8,
  u8: U8,
  s16: S16,
  u16: U16,
  s32: S32,
  u32: U32,
  s64: S64,
  u64: U64,
  f32: F32,
  f64: F64,
  char: CHAR,
  string: STRING,
};
