/** Random types of the component model, each with a value of it. */

import fc from "fast-check";
import type { TypeShape } from "../../../src/contract/wit-shapes.ts";

export interface ShapeCase {
  readonly shape: TypeShape;
  readonly value: unknown;
}

const integers = (min: number, max: number): fc.Arbitrary<number> =>
  fc.oneof(fc.integer({ min, max }), fc.constantFrom(min, max));

const longs = (min: bigint, max: bigint): fc.Arbitrary<bigint> =>
  fc.oneof(fc.bigInt({ min, max }), fc.constantFrom(min, max));

const primitive = (shape: TypeShape, values: fc.Arbitrary<unknown>): fc.Arbitrary<ShapeCase> =>
  values.map((value) => ({ shape, value }));

/** Field and case names that no two of one type share. */
const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `name-n${index}`);

const inJavaScript = (name: string): string => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

const PRIMITIVES = fc.oneof(
  primitive("bool", fc.boolean()),
  primitive("u8", integers(0, 0xff)),
  primitive("s8", integers(-0x80, 0x7f)),
  primitive("u16", integers(0, 0xffff)),
  primitive("s16", integers(-0x8000, 0x7fff)),
  primitive("u32", integers(0, 0xffff_ffff)),
  primitive("s32", integers(-0x8000_0000, 0x7fff_ffff)),
  primitive("u64", longs(0n, 2n ** 64n - 1n)),
  primitive("s64", longs(-(2n ** 63n), 2n ** 63n - 1n)),
  primitive("f32", fc.float()),
  primitive("f64", fc.double()),
  primitive("char", fc.string({ unit: "binary", minLength: 1, maxLength: 1 })),
  primitive("string", fc.string({ unit: "binary", maxLength: 400 })),
  primitive({ list: "u8" }, fc.uint8Array({ maxLength: 5_000 })),
);

const isOption = (shape: TypeShape): boolean => typeof shape === "object" && "option" in shape;

function optionOf({ shape, value }: ShapeCase, isNone: boolean): ShapeCase {
  if (isOption(shape))
    return { shape: { option: shape }, value: isNone ? { tag: "none" } : { tag: "some", val: value } };
  return { shape: { option: shape }, value: isNone ? undefined : value };
}

function recordOf(fields: readonly ShapeCase[]): ShapeCase {
  const named = names(fields.length).map((name, index) => [name, fields[index] as ShapeCase] as const);
  return {
    shape: { record: Object.fromEntries(named.map(([name, { shape }]) => [name, shape])) },
    value: Object.fromEntries(named.map(([name, { value }]) => [inJavaScript(name), value])),
  };
}

function variantOf(cases: readonly (ShapeCase | null)[], chosen: number): ShapeCase {
  const named = names(cases.length);
  const index = chosen % cases.length;
  const payload = cases[index];
  return {
    shape: { variant: Object.fromEntries(named.map((name, at) => [name, cases[at]?.shape ?? null])) },
    value: payload == null ? { tag: named[index] } : { tag: named[index], val: payload.value },
  };
}

function resultOf(payload: ShapeCase | null, isOk: boolean): ShapeCase {
  const tag = isOk ? "ok" : "err";
  const shape = payload?.shape ?? null;
  return {
    shape: { result: isOk ? { ok: shape, err: null } : { ok: null, err: shape } },
    value: payload === null ? { tag } : { tag, val: payload.value },
  };
}

function flagsOf(count: number, seed: number): ShapeCase {
  return { shape: { flags: names(count) }, value: seed % 2 ** count };
}

export const shapeCases: fc.Arbitrary<ShapeCase> = fc.letrec<{ any: ShapeCase }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    PRIMITIVES,
    fc.tuple(tie("any"), fc.nat(3)).map(([{ shape, value }, count]) => ({
      shape: { list: shape },
      value: shape === "u8" ? new Uint8Array(count).fill(value as number) : Array.from({ length: count }, () => value),
    })),
    fc.array(tie("any"), { minLength: 1, maxLength: 4 }).map(recordOf),
    fc.array(tie("any"), { minLength: 1, maxLength: 4 }).map((parts) => ({
      shape: { tuple: parts.map(({ shape }) => shape) },
      value: parts.map(({ value }) => value),
    })),
    fc.tuple(tie("any"), fc.boolean()).map(([inner, isNone]) => optionOf(inner, isNone)),
    fc.tuple(fc.option(tie("any")), fc.boolean()).map(([payload, isOk]) => resultOf(payload, isOk)),
    fc
      .tuple(fc.array(fc.option(tie("any")), { minLength: 1, maxLength: 4 }), fc.nat())
      .map(([cases, chosen]) => variantOf(cases, chosen)),
    fc
      .tuple(fc.integer({ min: 1, max: 200 }), fc.nat())
      .map(([count, chosen]) => ({ shape: { enum: names(count) }, value: `name-n${chosen % count}` })),
    fc.tuple(fc.integer({ min: 1, max: 32 }), fc.nat(0xffff_ffff)).map(([count, seed]) => flagsOf(count, seed)),
  ),
})).any;
