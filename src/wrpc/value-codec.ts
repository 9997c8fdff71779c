/**
 * Makes the codec of a type from its WIT, as the contract's interfaces have it as data (`contract/wit-shapes.ts`): nothing
 * is written by hand for a type or a function.
 *
 * In JavaScript a record is an object with JavaScript's spelling of its fields, a tuple an array, a variant or result
 * `{ tag, val }`, an enum its case's name, flags a number whose bits are in the order of the WIT. An option is its value
 * or `undefined`, and `{ tag, val }` where its value is an option again. `list<u8>` is a `Uint8Array`.
 *
 * @see https://github.com/bytecodealliance/wrpc/blob/main/SPEC.md
 * @module
 */

import type { PrimitiveType } from "../contract/primitive-types.ts";
import type { TypeShape } from "../contract/wit-shapes.ts";
import { HostError } from "../errors/host-error.ts";
import type { ValueReader } from "./value-reader.ts";
import type { ValueWriter } from "./value-writer.ts";

/** Reads and writes the values of one type. */
export interface ValueCodec<Value = unknown> {
  /** The fewest bytes of a value: bounds how many elements of a list some bytes can hold. */
  readonly minBytes: number;
  /** Reports an invalid value to `from`, and returns an arbitrary one in its place. */
  read(from: ValueReader): Value;
  /** `value` must be of the type: it comes from this program. */
  write(value: Value, to: ValueWriter): void;
}

/** The codec of the type that an interface declares under this name. */
export type TypeLookup = (name: string) => ValueCodec;

/** Flags are bits of one number. */
const MAX_FLAGS = 32;

const NOTHING: ValueCodec = { minBytes: 0, read: () => undefined, write: () => undefined };

const PRIMITIVES: Readonly<Record<PrimitiveType, ValueCodec>> = {
  bool: codec<boolean>(
    1,
    (from) => {
      const value = from.u8();
      if (value > 1) from.fail("a bool is neither 0 nor 1");
      return value === 1;
    },
    (value, to) => to.u8(value ? 1 : 0),
  ),
  u8: codec<number>(
    1,
    (from) => from.u8(),
    (value, to) => to.u8(value),
  ),
  s8: codec<number>(
    1,
    (from) => from.s8(),
    (value, to) => to.u8(value),
  ),
  u16: unsigned(16),
  u32: unsigned(32),
  s16: signed(16),
  s32: signed(32),
  u64: codec<bigint>(
    1,
    (from) => from.u64(),
    (value, to) => to.unsignedLong(value),
  ),
  s64: codec<bigint>(
    1,
    (from) => from.s64(),
    (value, to) => to.signedLong(value),
  ),
  f32: codec<number>(
    4,
    (from) => from.f32(),
    (value, to) => to.f32(value),
  ),
  f64: codec<number>(
    8,
    (from) => from.f64(),
    (value, to) => to.f64(value),
  ),
  char: codec<string>(
    1,
    (from) => from.char(),
    (value, to) => to.character(value),
  ),
  string: codec<string>(
    1,
    (from) => from.text(),
    (value, to) => to.text(value),
  ),
};

const BYTES = codec<Uint8Array>(
  1,
  (from) => from.bytes(),
  (value, to) => to.bytes(value),
);

/**
 * @throws {@link HostError} `internal`, where the type has no place in a call of a function: wRPC passes resources by
 *   names of its own, and the handler has none
 */
export function compileType(shape: TypeShape, lookUp: TypeLookup): ValueCodec {
  const compile = (type: TypeShape): ValueCodec => compileType(type, lookUp);
  const optional = (type: TypeShape | null): ValueCodec => (type === null ? NOTHING : compile(type));
  if (typeof shape === "string") return PRIMITIVES[shape];
  if ("type" in shape) return lookUp(shape.type);
  if ("list" in shape) return shape.list === "u8" ? BYTES : compileList(compile(shape.list));
  if ("tuple" in shape) return compileFields([...shape.tuple.map(compile).entries()], () => []);
  if ("record" in shape) {
    const fields = Object.entries(shape.record).map(([name, type]) => [camelCase(name), compile(type)] as const);
    return compileFields(fields, () => ({}));
  }
  if ("option" in shape) return compileOption(compile(shape.option), isOption(shape.option));
  if ("result" in shape) {
    return compileCases([
      ["ok", optional(shape.result.ok)],
      ["err", optional(shape.result.err)],
    ]);
  }
  if ("variant" in shape) {
    return compileCases(Object.entries(shape.variant).map(([name, type]) => [name, optional(type)]));
  }
  if ("enum" in shape) return compileEnum(shape.enum);
  if ("flags" in shape) return compileFlags(shape.flags.length);
  throw new HostError("internal", `a value of ${JSON.stringify(shape)} cannot be passed over wRPC`);
}

function codec<Value>(
  minBytes: number,
  read: (from: ValueReader) => Value,
  write: (value: Value, to: ValueWriter) => void,
): ValueCodec {
  return { minBytes, read, write };
}

function unsigned(bits: number): ValueCodec {
  return codec<number>(
    1,
    (from) => from.unsigned(bits),
    (value, to) => to.unsigned(value),
  );
}

function signed(bits: number): ValueCodec {
  return codec<number>(
    1,
    (from) => from.signed(bits),
    (value, to) => to.signedLong(BigInt(value)),
  );
}

function compileList(element: ValueCodec): ValueCodec {
  return codec<readonly unknown[]>(
    1,
    (from) => {
      const count = from.count(element.minBytes);
      const values: unknown[] = [];
      while (values.length < count && from.flaw === undefined) values.push(element.read(from));
      return values;
    },
    (values, to) => {
      to.unsigned(values.length);
      for (const value of values) element.write(value, to);
    },
  );
}

type Container = Record<string | number, unknown>;

function compileFields(
  fields: readonly (readonly [key: string | number, type: ValueCodec])[],
  create: () => object,
): ValueCodec {
  return codec<Container>(
    fields.reduce((sum, [, type]) => sum + type.minBytes, 0),
    (from) => {
      const value = create() as Container;
      for (const [key, type] of fields) value[key] = type.read(from);
      return value;
    },
    (value, to) => {
      for (const [key, type] of fields) type.write(value[key], to);
    },
  );
}

type Tagged = { readonly tag: string; readonly val?: unknown };

function compileCases(cases: readonly (readonly [name: string, type: ValueCodec])[]): ValueCodec {
  const indices = new Map(cases.map(([name], index) => [name, index]));
  return codec<Tagged>(
    1 + Math.min(...cases.map(([, type]) => type.minBytes)),
    (from) => {
      const index = from.unsigned(32);
      const [name, type] = cases[index] ?? [];
      if (name !== undefined && type !== undefined)
        return type === NOTHING ? { tag: name } : { tag: name, val: type.read(from) };
      from.fail(`a variant of ${cases.length} cases has no case ${index}`);
      return { tag: "" };
    },
    ({ tag, val }, to) => {
      const index = indices.get(tag) ?? 0;
      to.unsigned(index);
      cases[index]?.[1].write(val, to);
    },
  );
}

function compileOption(some: ValueCodec, isNested: boolean): ValueCodec {
  const cases = compileCases([
    ["none", NOTHING],
    ["some", some],
  ]);
  if (isNested) return cases;
  return codec<unknown>(
    1,
    (from) => (cases.read(from) as Tagged).val,
    (value, to) => cases.write(value === undefined ? { tag: "none" } : { tag: "some", val: value }, to),
  );
}

function compileEnum(names: readonly string[]): ValueCodec {
  return codec<string>(
    1,
    (from) => {
      const index = from.unsigned(32);
      const name = names[index];
      if (name === undefined) from.fail(`an enum of ${names.length} cases has no case ${index}`);
      return name ?? "";
    },
    (name, to) => to.unsigned(names.indexOf(name)),
  );
}

function compileFlags(count: number): ValueCodec {
  if (count > MAX_FLAGS) throw new HostError("internal", `flags of ${count} names do not fit ${MAX_FLAGS} bits`);
  const length = Math.ceil(count / 8);
  return codec<number>(
    length,
    (from) => {
      const bits = from.raw(length).reduce((sum, byte, index) => sum + byte * 2 ** (8 * index), 0);
      if (bits >= 2 ** count) from.fail(`flags of ${count} names have another bit`);
      return bits;
    },
    (bits, to) => {
      for (let index = 0; index < length; index += 1) to.u8(Math.floor(bits / 2 ** (8 * index)));
    },
  );
}

function isOption(shape: TypeShape): boolean {
  return typeof shape === "object" && "option" in shape;
}

/** The spelling of a WIT name in JavaScript: `content-length` → `contentLength`. */
function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
