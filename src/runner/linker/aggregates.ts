/**
 * Records, tuples, flags and enums (component-model `CanonicalABI.md`, "Element Size", "Loading", "Storing").
 * A record is an object with JavaScript's spelling of its fields, a tuple an array, flags an object of booleans,
 * an enum a string in the WIT's spelling.
 *
 * @module
 */

import { createTrap } from "../guest/trap.ts";
import { alignTo, camelCase, type CompiledType, type FlatType, type FlatValue } from "./compiled-type.ts";
import { PRIMITIVES, translated } from "./primitives.ts";

/** One part of a record or tuple. */
interface Part {
  readonly key: string | number;
  readonly type: CompiledType;
  readonly offset: number;
  readonly flatIndex: number;
}

export function compileRecord(fields: readonly (readonly [name: string, type: CompiledType])[]): CompiledType {
  return compileParts(
    fields.map(([name, type]) => [camelCase(name), type]),
    () => ({}),
  );
}

export function compileTuple(elements: readonly CompiledType[]): CompiledType {
  return compileParts(
    elements.map((type, index) => [index, type]),
    () => [],
  );
}

type Container = Record<string | number, unknown>;

function compileParts(
  named: readonly (readonly [key: string | number, type: CompiledType])[],
  create: () => object,
): CompiledType {
  const { parts, ...layout } = layOut(named);
  const expectContainer = (value: unknown): Container => {
    if (typeof value !== "object" || value === null) throw createTrap("a value is not a record");
    return value as Container;
  };
  return {
    ...layout,
    load(cx, at) {
      const value = create() as Container;
      for (const { key, type, offset } of parts) value[key] = type.load(cx, at + offset);
      return value;
    },
    store(cx, value, at) {
      const container = expectContainer(value);
      for (const { key, type, offset } of parts) type.store(cx, container[key], at + offset);
    },
    liftFlat(cx, flat, index) {
      const value = create() as Container;
      for (const { key, type, flatIndex } of parts) value[key] = type.liftFlat(cx, flat, index + flatIndex);
      return value;
    },
    lowerFlat(cx, value, flat, index) {
      const container = expectContainer(value);
      for (const { key, type, flatIndex } of parts) type.lowerFlat(cx, container[key], flat, index + flatIndex);
    },
  };
}

function layOut(named: readonly (readonly [key: string | number, type: CompiledType])[]): {
  parts: readonly Part[];
  size: number;
  align: number;
  flat: readonly FlatType[];
} {
  const parts: Part[] = [];
  const flat: FlatType[] = [];
  let end = 0;
  let align = 1;
  for (const [key, type] of named) {
    const offset = alignTo(end, type.align);
    parts.push({ key, type, offset, flatIndex: flat.length });
    flat.push(...type.flat);
    end = offset + type.size;
    align = Math.max(align, type.align);
  }
  return { parts, size: alignTo(end, align), align, flat };
}

/** The unsigned integer type that holds the discriminant of `cases` cases. */
export function discriminantType(cases: number): CompiledType {
  if (cases <= 0x100) return PRIMITIVES.u8;
  return cases <= 0x1_0000 ? PRIMITIVES.u16 : PRIMITIVES.u32;
}

export function compileEnum(names: readonly string[]): CompiledType {
  const indices = new Map(names.map((name, index) => [name, index]));
  return translated(
    discriminantType(names.length),
    (index) => {
      const name = names[index];
      if (name === undefined) throw createTrap("a discriminant is not one of its enum's");
      return name;
    },
    (value) => {
      const index = indices.get(value as string);
      if (index === undefined) throw createTrap("a value is not a case of its enum");
      return index;
    },
  );
}

const BITS_PER_WORD = 32;

/** Flags: up to 32 in one integer, more in as many words as they need. */
export function compileFlags(names: readonly string[]): CompiledType {
  const keys = names.map(camelCase);
  if (names.length > BITS_PER_WORD) return compileWideFlags(keys);
  const type = names.length <= 8 ? PRIMITIVES.u8 : names.length <= 16 ? PRIMITIVES.u16 : PRIMITIVES.u32;
  return translated(
    type,
    (bits) => {
      const value: Record<string, boolean> = {};
      setFlags(value, keys, bits);
      return value;
    },
    (value) => bitsOf(value, keys),
  );
}

function compileWideFlags(keys: readonly string[]): CompiledType {
  const words: string[][] = [];
  for (let from = 0; from < keys.length; from += BITS_PER_WORD) words.push(keys.slice(from, from + BITS_PER_WORD));
  const collect = (word: (index: number) => number): Record<string, boolean> => {
    const value: Record<string, boolean> = {};
    for (const [index, names] of words.entries()) setFlags(value, names, word(index));
    return value;
  };
  return {
    size: 4 * words.length,
    align: 4,
    flat: words.map(() => "i32"),
    load: ({ memory }, at) => collect((index) => memory.view.getUint32(at + 4 * index, true)),
    store({ memory }, value, at) {
      for (const [index, names] of words.entries()) memory.view.setUint32(at + 4 * index, bitsOf(value, names), true);
    },
    liftFlat: (_, flat: readonly FlatValue[], from) => collect((index) => flat[from + index] as number),
    lowerFlat(_, value, flat, from) {
      for (const [index, names] of words.entries()) flat[from + index] = bitsOf(value, names);
    },
  };
}

/** Ignores bits beyond the last flag, as the specification demands. */
function setFlags(value: Record<string, boolean>, keys: readonly string[], bits: number): void {
  for (const [index, key] of keys.entries()) value[key] = ((bits >>> index) & 1) === 1;
}

function bitsOf(value: unknown, keys: readonly string[]): number {
  if (typeof value !== "object" || value === null) throw createTrap("a value is not a set of flags");
  let bits = 0;
  for (const [index, key] of keys.entries()) if ((value as Container)[key] === true) bits |= 1 << index;
  return bits >>> 0;
}
