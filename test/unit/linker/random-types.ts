/**
 * Random WIT types with values of them, and the component that passes a value through: what its export gets, it
 * gives to its import, and what that returns, it returns. It knows nothing of layouts, so whoever lifts and
 * lowers on both sides is tested alone.
 */

import { componentEmbed, componentNew, parse } from "@bytecodealliance/jco";
import fc from "fast-check";

export type FlatType = "i32" | "i64" | "f32" | "f64";

export interface TypeCase {
  /** The type's text where it is used. */
  readonly wit: string;
  /** Declarations that it needs. */
  readonly declarations: readonly string[];
  readonly flat: readonly FlatType[];
  readonly values: fc.Arbitrary<unknown>;
  readonly isOption?: boolean;
}

const finiteFloat = fc.oneof(fc.double(), fc.constant(Number.NaN));

const integers = (min: number, max: number): fc.Arbitrary<number> =>
  fc.oneof(fc.integer({ min, max }), fc.constantFrom(min, max));

const longs = (min: bigint, max: bigint): fc.Arbitrary<bigint> =>
  fc.oneof(fc.bigInt({ min, max }), fc.constantFrom(min, max));

function plain(wit: string, flat: FlatType[], values: fc.Arbitrary<unknown>): TypeCase {
  return { wit, declarations: [], flat, values };
}

const NUMBERS: readonly (readonly [TypeCase, (values: never[]) => unknown])[] = [
  [plain("u8", ["i32"], integers(0, 0xff)), (values) => Uint8Array.from(values)],
  [plain("s8", ["i32"], integers(-0x80, 0x7f)), (values) => Int8Array.from(values)],
  [plain("u16", ["i32"], integers(0, 0xffff)), (values) => Uint16Array.from(values)],
  [plain("s16", ["i32"], integers(-0x8000, 0x7fff)), (values) => Int16Array.from(values)],
  [plain("u32", ["i32"], integers(0, 0xffff_ffff)), (values) => Uint32Array.from(values)],
  [plain("s32", ["i32"], integers(-0x8000_0000, 0x7fff_ffff)), (values) => Int32Array.from(values)],
  [plain("u64", ["i64"], longs(0n, 2n ** 64n - 1n)), (values) => BigUint64Array.from(values)],
  [plain("s64", ["i64"], longs(-(2n ** 63n), 2n ** 63n - 1n)), (values) => BigInt64Array.from(values)],
  [plain("f32", ["f32"], finiteFloat.map(Math.fround)), (values) => Float32Array.from(values)],
  [plain("f64", ["f64"], finiteFloat), (values) => Float64Array.from(values)],
];

const LEAVES: readonly TypeCase[] = [
  ...NUMBERS.map(([type]) => type),
  plain("bool", ["i32"], fc.boolean()),
  plain("char", ["i32"], fc.string({ unit: "binary", minLength: 1, maxLength: 1 })),
];

let lastName = 0;

/** A new name, which no other type of any component has. */
function named(keyword: string, body: (name: string) => string): { wit: string; declaration: string } {
  lastName += 1;
  const name = `${keyword}-n${lastName}`;
  return { wit: name, declaration: body(name) };
}

const label = (index: number): string => `part-${String.fromCharCode(97 + (index % 26))}${index}`;
const key = (index: number): string =>
  label(index)
    .replace("-", "")
    .replace(/^part(.)/, (_, c: string) => `part${c.toUpperCase()}`);

function flags(count: number): TypeCase {
  const names = Array.from({ length: count }, (_, index) => label(index));
  const { wit, declaration } = named("flags", (name) => `flags ${name} { ${names.join(", ")} }`);
  const values = fc
    .array(fc.boolean(), { minLength: count, maxLength: count })
    .map((bits) => Object.fromEntries(bits.map((bit, index) => [key(index), bit])));
  return { wit, declarations: [declaration], flat: ["i32"], values };
}

function enumeration(count: number): TypeCase {
  const names = Array.from({ length: count }, (_, index) => label(index));
  const { wit, declaration } = named("enum", (name) => `enum ${name} { ${names.join(", ")} }`);
  return { wit, declarations: [declaration], flat: ["i32"], values: fc.constantFrom(...names) };
}

function declarationsOf(...types: readonly (TypeCase | undefined)[]): string[] {
  return [...new Set(types.flatMap((type) => type?.declarations ?? []))];
}

function record(types: readonly TypeCase[]): TypeCase {
  const fields = types.map(({ wit }, index) => `${label(index)}: ${wit}`).join(", ");
  const { wit, declaration } = named("record", (name) => `record ${name} { ${fields} }`);
  return {
    wit,
    declarations: [...declarationsOf(...types), declaration],
    flat: types.flatMap(({ flat }) => flat),
    values: fc.record(Object.fromEntries(types.map(({ values }, index) => [key(index), values]))),
  };
}

function tuple(types: readonly TypeCase[]): TypeCase {
  return {
    wit: `tuple<${types.map(({ wit }) => wit).join(", ")}>`,
    declarations: declarationsOf(...types),
    flat: types.flatMap(({ flat }) => flat),
    values: fc.tuple(...types.map(({ values }) => values)),
  };
}

function list(type: TypeCase): TypeCase {
  const typed = NUMBERS.find(([number]) => number.wit === type.wit)?.[1];
  const values = fc.array(type.values, { maxLength: 6 });
  return {
    wit: `list<${type.wit}>`,
    declarations: type.declarations,
    flat: ["i32", "i32"],
    values: typed === undefined ? values : values.map((items) => typed(items as never[])),
  };
}

function option(type: TypeCase): TypeCase {
  const some = type.isOption === true ? type.values.map((val) => ({ tag: "some", val })) : type.values;
  const none = type.isOption === true ? { tag: "none" } : undefined;
  return {
    wit: `option<${type.wit}>`,
    declarations: type.declarations,
    flat: ["i32", ...type.flat],
    values: fc.oneof(some, fc.constant(none)),
    isOption: true,
  };
}

function variant(types: readonly (TypeCase | undefined)[]): TypeCase {
  const cases = types.map((type, index) => (type === undefined ? label(index) : `${label(index)}(${type.wit})`));
  const { wit, declaration } = named("variant", (name) => `variant ${name} { ${cases.join(", ")} }`);
  return {
    wit,
    declarations: [...declarationsOf(...types), declaration],
    flat: ["i32", ...join(types)],
    values: fc.oneof(...types.map((type, index) => tagged(label(index), type))),
  };
}

function result(ok: TypeCase | undefined, err: TypeCase | undefined): TypeCase {
  const wit =
    err === undefined ? (ok === undefined ? "result" : `result<${ok.wit}>`) : `result<${ok?.wit ?? "_"}, ${err.wit}>`;
  return {
    wit,
    declarations: declarationsOf(ok, err),
    flat: ["i32", ...join([ok, err])],
    values: fc.oneof(
      (ok?.values ?? fc.constant(undefined)).map((val) => ({ tag: "ok", val })),
      (err?.values ?? fc.constant(undefined)).map((val) => ({ tag: "err", val })),
    ),
  };
}

function tagged(tag: string, type: TypeCase | undefined): fc.Arbitrary<unknown> {
  return type === undefined ? fc.constant({ tag }) : type.values.map((val) => ({ tag, val }));
}

function join(types: readonly (TypeCase | undefined)[]): FlatType[] {
  const joined: FlatType[] = [];
  for (const type of types)
    for (const [place, own] of (type?.flat ?? []).entries()) {
      const other = joined[place] ?? own;
      joined[place] = own === other ? own : new Set([own, other, "i32", "f32"]).size === 2 ? "i32" : "i64";
    }
  return joined;
}

/** Random types, nested a few levels deep, with strings of a length. */
export function typesWith(length: { readonly minLength?: number; readonly maxLength: number }): fc.Arbitrary<TypeCase> {
  const text = plain("string", ["i32", "i32"], fc.string({ unit: "binary", ...length }));
  return fc.letrec<{ type: TypeCase; leaf: TypeCase }>((tie) => {
    const some = fc.array(tie("type"), { minLength: 1, maxLength: 4 });
    const maybe = fc.option(tie("type"), { nil: undefined });
    return {
      leaf: fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom(text, text, ...LEAVES) },
        fc.integer({ min: 1, max: 32 }).map(flags),
        fc.constantFrom(1, 2, 255, 256, 257, 300).map(enumeration),
      ),
      type: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        tie("leaf"),
        tie("type").map(list),
        tie("type").map(option),
        some.map(record),
        some.map(tuple),
        fc.array(maybe, { minLength: 1, maxLength: 4 }).map(variant),
        fc.tuple(maybe, maybe).map(([ok, err]) => result(ok, err)),
      ),
    };
  }).type;
}

const MAX_FLAT_PARAMS = 16;

export const HOST_INTERFACE = "test:pass/host";
export const GUEST_INTERFACE = "test:pass/guest";

/** The component that passes values of a type through. */
export async function passThrough(type: TypeCase, encoding = "utf8"): Promise<Uint8Array> {
  const declarations = type.declarations.join("\n");
  const func = `func(value: ${type.wit}) -> ${type.wit}`;
  const names = type.declarations.flatMap((text) => /^\w+ ([\w-]+)/.exec(text)?.[1] ?? []);
  const use = names.length > 0 ? `use types.{${names.join(", ")}};` : "";
  const witSource = `package test:pass;
    interface types { ${declarations} }
    interface host { ${use} pass: ${func}; }
    interface guest { ${use} run: ${func}; }
    world pass { import host; export guest; }`;
  const binary = await componentEmbed({
    binary: await parse(passModule(type.flat)),
    witSource,
    world: "pass",
    stringEncoding: encoding as "utf8",
  });
  return await componentNew(binary, []);
}

function passModule(flat: readonly FlatType[]): string {
  const inMemory = flat.length > MAX_FLAT_PARAMS;
  const params = inMemory ? ["i32"] : flat;
  const returnsPointer = flat.length > 1;
  const result = returnsPointer ? "" : `(result ${flat[0]})`;
  const pass = params.map((_, index) => `(local.get ${index})`).join(" ");
  const call = returnsPointer ? `(call $pass ${pass} (i32.const 16)) (i32.const 16)` : `(call $pass ${pass})`;
  return `(module
    (import "${HOST_INTERFACE}" "pass" (func $pass (param ${[...params, ...(returnsPointer ? ["i32"] : [])].join(" ")}) ${result}))
    (memory (export "memory") 4)
    (global $free (mut i32) (i32.const 16384))
    (func (export "cabi_realloc") (param i32 i32) (param $align i32) (param $size i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and
        (i32.add (global.get $free) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
      (global.set $free (i32.add (local.get $at) (local.get $size)))
      (if (i32.gt_u (global.get $free) (i32.shl (memory.size) (i32.const 16))) (then
        (if (i32.eq (i32.const -1) (memory.grow (i32.add (i32.const 1) (i32.shr_u (local.get $size) (i32.const 16)))))
          (then (unreachable)))))
      (local.get $at))
    (func (export "${GUEST_INTERFACE}#run") (param ${params.join(" ")}) (result ${returnsPointer ? "i32" : flat[0]})
      ${call}))`;
}
