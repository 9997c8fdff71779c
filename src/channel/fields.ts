/**
 * The kinds of fields that messages are made of. Each says how a value is written and read and how many bytes it takes
 * at most; a message's type, its codec and its bound follow from its fields (`message-table.ts`).
 *
 * Layout: integers are little-endian, text and bytes follow a `u32` length, a flag is one byte.
 *
 * @module
 */

import type { FieldReader } from "./field-reader.ts";

/** Where fields are written to; see `FrameWriter`. */
export interface FieldSink {
  u8(value: number): void;
  u16(value: number): void;
  u32(value: number): void;
  text(value: string): void;
  bytes(value: Uint8Array): void;
}

/** The memory for a large frame: another thread of the process can read `shared` memory without a copy. */
export type FrameMemory = "own" | "shared";

/** One kind of field. */
export interface Field<Value> {
  /** The most bytes that one value takes in a frame. */
  readonly maxBytes: number;
  readonly memory: FrameMemory;
  /** The sender must keep to the bound of a value: beyond it, the other side ends the connection. */
  write(value: Value, out: FieldSink): void;
  /** Reports an invalid value by `from.fail`, and returns an arbitrary one in its place. */
  read(from: FieldReader): Value;
}

/** The value of a field. */
export type ValueOf<Of> = Of extends Field<infer Value> ? Value : never;

const LENGTH_BYTES = 4;

export const u8: Field<number> = {
  maxBytes: 1,
  memory: "own",
  write: (value, out) => out.u8(value),
  read: (from) => from.u8(),
};

export const u16: Field<number> = {
  maxBytes: 2,
  memory: "own",
  write: (value, out) => out.u16(value),
  read: (from) => from.u16(),
};

export const u32: Field<number> = {
  maxBytes: 4,
  memory: "own",
  write: (value, out) => out.u32(value),
  read: (from) => from.u32(),
};

/** One byte: 0 is false, 1 is true, anything else a violation. */
export const flag: Field<boolean> = {
  maxBytes: 1,
  memory: "own",
  write: (value, out) => out.u8(value ? 1 : 0),
  read(from) {
    const value = from.u8();
    if (value > 1) from.fail("a flag is neither 0 nor 1");
    return value === 1;
  },
};

/** The encoding of an absent number. */
const NONE = 0xffff_ffff;

/** A number below 2³² − 1, or `undefined`. Larger numbers are written as 2³² − 2. */
export const optionalU32: Field<number | undefined> = {
  maxBytes: 4,
  memory: "own",
  write: (value, out) => out.u32(value === undefined ? NONE : Math.min(value, NONE - 1)),
  read(from) {
    const value = from.u32();
    return value === NONE ? undefined : value;
  },
};

/** Text of at most `maxBytes` bytes of UTF-8. */
export function text(maxBytes: number): Field<string> {
  return {
    maxBytes: LENGTH_BYTES + maxBytes,
    memory: "own",
    write: (value, out) => out.text(value),
    read: (from) => from.text(maxBytes),
  };
}

/** At most `maxBytes` bytes; `memory` is the memory that a large frame with them arrives in. */
export function bytes(maxBytes: number, memory: FrameMemory = "own"): Field<Uint8Array> {
  return {
    maxBytes: LENGTH_BYTES + maxBytes,
    memory,
    write: (value, out) => out.bytes(value),
    read: (from) => from.bytes(maxBytes),
  };
}

/** One of these values, encoded as its index; `what` names it in the violation for an index out of range. */
export function oneOf<const Value extends string | number>(what: string, values: readonly Value[]): Field<Value> {
  return {
    maxBytes: 1,
    memory: "own",
    write: (value, out) => out.u8(values.indexOf(value)),
    read(from) {
      const value = values[from.u8()];
      if (value !== undefined) return value;
      from.fail(`unknown ${what}`);
      return values[0] as Value;
    },
  };
}

/** A list of at most `maxItems` items, which take `maxItemBytes` bytes together at most. */
export function list<Item>(item: Field<Item>, maxItems: number, maxItemBytes: number): Field<readonly Item[]> {
  return {
    maxBytes: 2 + maxItemBytes,
    memory: item.memory,
    write(items, out) {
      out.u16(items.length);
      for (const one of items) item.write(one, out);
    },
    read(from) {
      const count = from.u16();
      if (count > maxItems) from.fail(`a list of ${count} items, at most ${maxItems} are allowed`);
      const items: Item[] = [];
      while (items.length < count && !from.isBroken) items.push(item.read(from));
      return items;
    },
  };
}
