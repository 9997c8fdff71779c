/**
 * Variants, options and results (component-model `CanonicalABI.md`, "Loading", "Storing", "Flattening",
 * `lift_flat_variant`, `lower_flat_variant`). As core values, the payloads of all cases share the same places, and the type
 * of each place can hold every case's value.
 *
 * In JavaScript a variant is `{ tag, val }`; an option is its value or `undefined`, and `{ tag, val }` where its
 * value is an option again.
 *
 * @module
 */

import { createTrap } from "../guest/trap.ts";
import { discriminantType } from "./aggregates.ts";
import { alignTo, type CompiledType, type FlatType, type FlatValue, NOTHING } from "./compiled-type.ts";

/** The form of a kind of variant in JavaScript. */
interface VariantShape {
  make(index: number, payload: unknown): unknown;
  /** The index of a value's case; -1 where the value is of no case. */
  caseOf(value: unknown): number;
  payloadOf(value: unknown): unknown;
}

type Tagged = { readonly tag?: unknown; readonly val?: unknown };

function taggedShape(names: readonly string[], hasPayload: readonly boolean[]): VariantShape {
  const indices = new Map<unknown, number>(names.map((name, index) => [name, index]));
  return {
    make: (index, payload) =>
      hasPayload[index] === true ? { tag: names[index], val: payload } : { tag: names[index] },
    caseOf: (value) => (typeof value === "object" && value !== null ? (indices.get((value as Tagged).tag) ?? -1) : -1),
    payloadOf: (value) => (value as Tagged).val,
  };
}

const RESULT_SHAPE = taggedShape(["ok", "err"], [true, true]);

const OPTION_SHAPE: VariantShape = {
  make: (_, payload) => payload,
  caseOf: (value) => (value === undefined || value === null ? 0 : 1),
  payloadOf: (value) => value,
};

const NESTED_OPTION_SHAPE = taggedShape(["none", "some"], [false, true]);

export function compileVariant(
  cases: readonly (readonly [name: string, type: CompiledType | undefined])[],
): CompiledType {
  const shape = taggedShape(
    cases.map(([name]) => name),
    cases.map(([, type]) => type !== undefined),
  );
  return compileCases(
    cases.map(([, type]) => type ?? NOTHING),
    shape,
  );
}

/** `isNested`: is the value an option itself? */
export function compileOption(some: CompiledType, isNested: boolean): CompiledType {
  return compileCases([NOTHING, some], isNested ? NESTED_OPTION_SHAPE : OPTION_SHAPE);
}

export function compileResult(ok: CompiledType | undefined, err: CompiledType | undefined): CompiledType {
  return compileCases([ok ?? NOTHING, err ?? NOTHING], RESULT_SHAPE);
}

function compileCases(types: readonly CompiledType[], shape: VariantShape): CompiledType {
  const discriminant = discriminantType(types.length);
  const payloadAlign = Math.max(...types.map(({ align }) => align));
  const align = Math.max(discriminant.align, payloadAlign);
  const payloadOffset = alignTo(discriminant.size, payloadAlign);
  const size = alignTo(payloadOffset + Math.max(...types.map((type) => type.size)), align);
  const flat: FlatType[] = ["i32", ...joinFlat(types)];
  const cases = types.map((type) => ({ type, coercions: coercionsOf(type.flat, flat) }));

  const expectCase = (index: number): (typeof cases)[number] => {
    const found = cases[index];
    if (found === undefined) throw createTrap("a discriminant is not one of its variant's");
    return found;
  };
  const caseOf = (value: unknown): number => {
    const index = shape.caseOf(value);
    if (index === -1) throw createTrap("a value is not a case of its variant");
    return index;
  };
  return {
    size,
    align,
    flat,
    load(cx, at) {
      const index = discriminant.load(cx, at) as number;
      return shape.make(index, expectCase(index).type.load(cx, at + payloadOffset));
    },
    store(cx, value, at) {
      const index = caseOf(value);
      discriminant.store(cx, index, at);
      expectCase(index).type.store(cx, shape.payloadOf(value), at + payloadOffset);
    },
    liftFlat(cx, values, from) {
      const index = (values[from] as number) >>> 0;
      const { type, coercions } = expectCase(index);
      if (coercions === undefined) return shape.make(index, type.liftFlat(cx, values, from + 1));
      const own = coercions.map(({ fromJoined }, place) => fromJoined(values[from + 1 + place] as never));
      return shape.make(index, type.liftFlat(cx, own, 0));
    },
    lowerFlat(cx, value, values, from) {
      const index = caseOf(value);
      const { type, coercions } = expectCase(index);
      values[from] = index;
      type.lowerFlat(cx, shape.payloadOf(value), values, from + 1);
      for (const [place, { toJoined }] of (coercions ?? []).entries())
        values[from + 1 + place] = toJoined(values[from + 1 + place] as never);
      for (let place = 1 + type.flat.length; place < flat.length; place += 1)
        values[from + place] = flat[place] === "i64" ? 0n : 0;
    },
  };
}

/** The core types that hold the payload of every case. */
function joinFlat(types: readonly CompiledType[]): FlatType[] {
  const joined: FlatType[] = [];
  for (const { flat } of types)
    for (const [place, type] of flat.entries()) joined[place] = join(joined[place] ?? type, type);
  return joined;
}

function join(left: FlatType, right: FlatType): FlatType {
  if (left === right) return left;
  const both = `${left} ${right}`;
  return both === "i32 f32" || both === "f32 i32" ? "i32" : "i64";
}

/** Converts a core value from the shared type to a case's own type, and back. */
interface Coercion {
  readonly fromJoined: (value: never) => FlatValue;
  readonly toJoined: (value: never) => FlatValue;
}

const scratch = new DataView(new ArrayBuffer(8));

function floatFromBits(bits: number): number {
  scratch.setInt32(0, bits);
  return scratch.getFloat32(0);
}

function bitsFromFloat(value: number): number {
  scratch.setFloat32(0, value);
  return scratch.getInt32(0);
}

const KEPT: Coercion = { fromJoined: (value) => value, toJoined: (value) => value };

const COERCIONS: Readonly<Record<string, Coercion>> = {
  "i32 i64": {
    fromJoined: (value: bigint) => Number(BigInt.asIntN(32, value)),
    toJoined: (value: number) => BigInt(value >>> 0),
  },
  "f32 i32": { fromJoined: floatFromBits, toJoined: bitsFromFloat },
  "f32 i64": {
    fromJoined: (value: bigint) => floatFromBits(Number(BigInt.asIntN(32, value))),
    toJoined: (value: number) => BigInt(bitsFromFloat(value) >>> 0),
  },
  "f64 i64": {
    fromJoined(value: bigint) {
      scratch.setBigInt64(0, value);
      return scratch.getFloat64(0);
    },
    toJoined(value: number) {
      scratch.setFloat64(0, value);
      return scratch.getBigInt64(0);
    },
  },
};

/** The coercions of a case; `undefined` where its own types are the shared ones. */
function coercionsOf(own: readonly FlatType[], flat: readonly FlatType[]): readonly Coercion[] | undefined {
  if (own.every((type, place) => type === flat[place + 1])) return undefined;
  return own.map((type, place) => COERCIONS[`${type} ${flat[place + 1]}`] ?? KEPT);
}
