/** What lives on a heap that V8 collects is read wherever in a component it stands, and known, so that it can be bounded. */

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { compileWithJco } from "../../../src/compiler/engine.ts";
import { passGate } from "../../../src/compiler/gate/gate.ts";
import { planComponent } from "../../../src/compiler/link-plan/plan-component.ts";
import { ByteReader } from "../../../src/component/byte-reader.ts";
import { readCoreModule } from "../../../src/component/core/read-module.ts";
import { readComponent } from "../../../src/component/read-component.ts";
import { walkDefinitions } from "../../../src/component/walk.ts";
import { LINK_PLAN_FILE, type LinkPlan } from "../../../src/contract/link-plan.ts";
import { HostError } from "../../../src/errors/host-error.ts";
import { assemblePlugin } from "../../fixtures/wat/assemble.ts";
import { refusalOf } from "../../fixtures/wat/rejection.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

const OBJECTS_IN_GLOBALS = `(type $s (sub (struct (field (mut i32)) (field i64)))) (type $a (array (mut f32)))
  (global $g i32 (i32.const 3))
  (global (ref $s) (struct.new $s (i32.add (global.get $g) (i32.const 1)) (i64.const 2)))
  (global (ref $s) (struct.new_default $s)) (global (ref $a) (array.new $a (f32.const 1) (i32.const 2)))
  (global (ref $a) (array.new_default $a (i32.const 2))) (global (ref $a) (array.new_fixed $a 2 (f32.const 1) (f32.const 2)))
  (global externref (extern.convert_any (ref.i31 (i32.const 1)))) (global anyref (any.convert_extern (ref.null extern)))
  (table 1 externref (extern.convert_any (struct.new_default $s))) (elem (ref $s) (struct.new_default $s))`;

const THROWN_AGAIN = `(tag $t (param i64))
  (func (result i64)
    (block $value (result i64)
      (throw_ref (block $again (result exnref)
        (try_table (catch $t $value) (catch_all_ref $again) (throw $t (i64.const 1))) (return (i64.const 0))))))`;

async function pluginOf(coreBody: string): Promise<Uint8Array> {
  return await assemblePlugin({ insert: { "core-body": coreBody } });
}

/** What a component's manifest says, and whether its instances are put back. */
function judge(component: Uint8Array): { readonly makesObjects: boolean; readonly freshness: unknown } {
  const { makesObjects } = passGate(component);
  const planning = planComponent(component);
  if (planning.kind === "refused") throw new Error(planning.reason);
  // Types and functions that planning adds have their right numbers.
  for (const [name, content] of planning.files)
    if (name.endsWith(".wasm")) expect(() => new WebAssembly.Module(Buffer.from(content))).not.toThrow();
  const plan = JSON.parse(Buffer.from(planning.files.get(LINK_PLAN_FILE) ?? "").toString()) as LinkPlan;
  return { makesObjects, freshness: plan.freshness.kind };
}

describe("objects on the garbage-collected heap pass, and are known: no instance is put back", () => {
  test.each([
    ["a struct type", "(type (struct (field i32)))"],
    ["an array type", "(type (array (mut i8)))"],
    [
      "a group of types that know each other",
      "(rec (type $a (struct (field (ref null $b)))) (type $b (array (ref $a)))) (func (drop (memory.grow (i32.const 1))))",
    ],
    ["a type that others derive from", "(type $a (sub (struct))) (type (sub final $a (struct (field i16))))"],
    ["constant expressions", OBJECTS_IN_GLOBALS],
    [
      "every instruction",
      `(type $s (sub (struct (field (mut i32)) (field (mut i8))))) (type $a (array (mut i8))) (type $r (array (mut (ref null $s))))
       (type $sub (sub $s (struct (field (mut i32)) (field (mut i8)) (field (ref null $a)))))
       (elem $e (ref null $s) (ref.null $s)) (data $d "data")
       (func (local $s (ref null $s)) (local $a (ref null $a)) (local $r (ref null $r))
         (local.set $s (struct.new $s (i32.const 1) (i32.const 2))) (local.set $s (struct.new_default $sub))
         (drop (struct.get $s 0 (local.get $s))) (drop (struct.get_s $s 1 (local.get $s))) (drop (struct.get_u $s 1 (local.get $s)))
         (struct.set $s 0 (local.get $s) (i32.const 3))
         (local.set $a (array.new $a (i32.const 1) (i32.const 2))) (local.set $a (array.new_default $a (i32.const 2)))
         (local.set $a (array.new_fixed $a 2 (i32.const 1) (i32.const 2))) (local.set $a (array.new_data $a $d (i32.const 0) (i32.const 1)))
         (local.set $r (array.new_elem $r $e (i32.const 0) (i32.const 1)))
         (drop (array.get $r (local.get $r) (i32.const 0))) (drop (array.get_s $a (local.get $a) (i32.const 0)))
         (drop (array.get_u $a (local.get $a) (i32.const 0))) (array.set $a (local.get $a) (i32.const 0) (i32.const 1))
         (drop (array.len (local.get $a))) (array.fill $a (local.get $a) (i32.const 0) (i32.const 1) (i32.const 1))
         (array.copy $a $a (local.get $a) (i32.const 0) (local.get $a) (i32.const 1) (i32.const 1))
         (array.init_data $a $d (local.get $a) (i32.const 0) (i32.const 0) (i32.const 1))
         (array.init_elem $r $e (local.get $r) (i32.const 0) (i32.const 0) (i32.const 1))
         (drop (ref.test (ref $sub) (local.get $s))) (drop (ref.test (ref null $sub) (local.get $s)))
         (drop (ref.cast (ref $sub) (local.get $s))) (drop (ref.cast (ref null $sub) (local.get $s)))
         (drop (block $found (result (ref $sub)) (drop (br_on_cast $found (ref null $s) (ref $sub) (local.get $s))) (unreachable)))
         (drop (block $other (result (ref null $s)) (drop (br_on_cast_fail $other (ref null $s) (ref $sub) (local.get $s))) (unreachable)))
         (drop (any.convert_extern (extern.convert_any (local.get $s))))
         (drop (i31.get_s (ref.i31 (i32.const 1)))) (drop (i31.get_u (ref.i31 (i32.const 1))))
         (drop (ref.eq (local.get $s) (local.get $a))))`,
    ],
  ])("%s", async (_what, coreBody) => {
    const component = await pluginOf(coreBody);
    expect(judge(component)).toEqual({ makesObjects: true, freshness: "fresh" });
    await expect(compileWithJco(component, [])).resolves.toBeInstanceOf(Map);
  });
});

describe("an exception passes, and counts as an object, but what remains of a call is bits", () => {
  test.each([
    ["that is thrown and caught", "(tag $t) (func (block (try_table (catch_all 0) (throw $t))))"],
    ["with a value, thrown again", THROWN_AGAIN],
  ])("%s", async (_what, coreBody) => {
    const component = await pluginOf(coreBody);
    expect(judge(component)).toEqual({ makesObjects: true, freshness: "restorable" });
    await expect(compileWithJco(component, [])).resolves.toBeInstanceOf(Map);
  });

  test("unless a global keeps it", async () => {
    const component = await pluginOf(`${THROWN_AGAIN} (global (mut exnref) (ref.null exn))`);
    expect(judge(component)).toEqual({ makesObjects: true, freshness: "fresh" });
  });
});

describe("exceptions of the legacy form are refused, with the remedy,", () => {
  test.each([
    ["caught by their tag", "(tag $t) (func try throw $t catch $t end)"],
    ["all caught", "(tag $t) (func try throw $t catch_all end)"],
    ["thrown again", "(tag $t) (func try throw $t catch_all rethrow 0 end)"],
    ["delegated", "(tag $t) (func try throw $t delegate 0)"],
  ])("%s", async (_what, coreBody) => {
    const component = await pluginOf(coreBody);
    const { code, message } = refusalOf(() => passGate(component));
    expect(code).toBe("component-rejected");
    expect(message).toMatch(
      /^legacy exception handling \(instruction 0x[0-9a-f]+\) is not supported \(at byte \d+, in component > core module 0\)/,
    );
    expect(message).toContain("--translate-to-exnref");
  });
});

describe("what lives on no such heap passes, and is not taken for objects", () => {
  test.each([
    ["typed references to functions", "(type $f (func)) (func (param (ref null $f)) (call_ref $f (local.get 0)))"],
    [
      "tables and globals of references",
      "(table 5 externref) (table 5 funcref) (global (mut externref) (ref.null extern))",
    ],
    ["tail calls", "(func $f return_call $f)"],
    ["integers as references", "(func (result i32) (i31.get_s (ref.i31 (i32.const 1))))"],
    [
      "references of every kind",
      "(func (param anyref eqref structref arrayref i31ref nullref nullfuncref nullexternref exnref))",
    ],
    ["what would catch an exception", "(func (local exnref) (block (try_table (catch_all 0) (nop))))"],
    ["computed constants", "(global i32 (i32.add (i32.const 1) (i32.const 2)))"],
    ["atomic access to a memory that is not shared", "(func (drop (i32.atomic.load (i32.const 0))) (atomic.fence))"],
    ["vectors", "(func (drop (i8x16.relaxed_swizzle (v128.const i32x4 0 0 0 0) (v128.const i32x4 0 0 0 0))))"],
    [
      "segments of every form",
      `(table $t 9 funcref) (table $u 9 funcref) (func $f)
       (elem (i32.const 0) $f) (elem (table $u) (i32.const 1) func $f) (elem func $f) (elem declare func $f)
       (elem (table $u) (i32.const 2) funcref (ref.func $f) (ref.null func)) (elem funcref (ref.null func))
       (data (i32.const 0) "a") (data "b") (func (memory.init 1 (i32.const 0) (i32.const 0) (i32.const 1)))`,
    ],
  ])("%s", async (_what, coreBody) => {
    const component = await pluginOf(coreBody);
    expect(passGate(component)).toMatchObject({ exports: ["local:network-host/handler@1.0.0"], makesObjects: false });
  });
});

describe("every core module that V8 takes", () => {
  const v8 = WebAssembly as unknown as { validate(bytes: Uint8Array): boolean };
  const modules: Uint8Array[] = [];

  beforeAll(async () => {
    const everything = await pluginOf(
      `(type $f (func (param f32 v128) (result i64))) (table 3 funcref) (global (mut f64) (f64.const nan:0x1234))
       (func $a (type $f) (i64.atomic.rmw8.add_u (i32.const 9) (i64.const 1)))
       (elem (i32.const 0) func $a) (elem funcref (ref.func $a)) (data "passive") (data (i32.const 8) "active")
       (func (local funcref) (block (br_if 0 (i32.const 1))) (drop (ref.func $a)) (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 1)) (data.drop 0) (elem.drop 1)
         (if (i32.const 1) (then (drop (call_indirect (type $f) (f32.const 1) (v128.const i64x2 1 2) (i32.const 0))))))`,
    );
    const objects = await pluginOf(`${OBJECTS_IN_GLOBALS} ${THROWN_AGAIN}`);
    const built = ["examples/echo-c/echo", "examples/user-data-rust/user-data-rust"].map((name) =>
      readFileSync(new URL(`../../../${name}.wasm`, import.meta.url)),
    );
    for (const component of [everything, objects, ...built])
      for (const definition of walkDefinitions(readComponent(component)))
        if (definition.kind === "core-module" && definition.module.bytes.length < 20_000)
          modules.push(definition.module.bytes);
  });

  test("is read, or refused by a rule that names itself, whatever was changed in it", () => {
    // Prefixes of instructions and codes of types as often as all other bytes.
    const byte = fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(
        0xfb,
        0xfc,
        0xfd,
        0xfe,
        0x6e,
        0x6c,
        0x69,
        0x63,
        0x64,
        0xd0,
        0xd3,
        0x1f,
        0x06,
        0x40,
        0x70,
        0x4e,
        0x4f,
        0x50,
        0x5e,
        0x5f,
      ),
    );
    const change = fc.record({ place: fc.nat(), byte });
    let read = 0;
    fc.assert(
      fc.property(fc.nat(), fc.array(change, { maxLength: 2 }), (seed, changes) => {
        const bytes = Buffer.from(modules[seed % modules.length] ?? []);
        for (const { place, byte } of changes) bytes[place % bytes.length] = byte;
        if (!v8.validate(bytes)) return;
        try {
          readCoreModule(ByteReader.of(bytes, "module"));
          read += 1;
        } catch (error) {
          if (!(error instanceof HostError)) throw error;
          expect(error.message).toMatch(/^legacy exception handling \(/);
        }
      }),
      { numRuns: 20_000, interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
    expect(read).toBeGreaterThan(0);
  });
});
