/** What lives on a heap that V8 collects is refused by one rule, wherever in a component it stands. */

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { passGate } from "../../../src/compiler/gate/gate.ts";
import { ByteReader } from "../../../src/component/byte-reader.ts";
import { readCoreModule } from "../../../src/component/core/read-module.ts";
import { readComponent } from "../../../src/component/read-component.ts";
import { walkDefinitions } from "../../../src/component/walk.ts";
import { HostError } from "../../../src/errors/host-error.ts";
import { assemblePlugin } from "../../fixtures/wat/assemble.ts";
import { refusalOf } from "../../fixtures/wat/rejection.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

async function pluginOf(coreBody: string): Promise<Uint8Array> {
  return await assemblePlugin({ insert: { "core-body": coreBody } });
}

describe("garbage collection is refused by its name", () => {
  test.each([
    ["a struct type", "(type (struct (field i32)))"],
    ["an array type", "(type (array (mut i8)))"],
    ["a group of types", "(rec (type (func)) (type (func)))"],
    ["a type that others derive from", "(type (sub (func)))"],
    ["a final derived type", "(type $a (sub (func))) (type (sub final $a (func)))"],
    ["a parameter", "(type (func (param anyref)))"],
    ["a result", "(type (func (result eqref)))"],
    ["a local", "(func (local structref))"],
    ["a local that cannot be null", "(func (local (ref i31)))"],
    ["a table", "(table 1 arrayref)"],
    ["a global", "(global anyref (ref.null any))"],
    ["a block", "(func (drop (block (result i31ref) (unreachable))))"],
    ["a selection", "(func (drop (select (result anyref) (unreachable) (unreachable) (i32.const 0))))"],
    ["a null", "(func (drop (ref.null none)))"],
    ["a null of another hierarchy", "(func (drop (ref.null nofunc)) (drop (ref.null noextern)))"],
    ["a null in a constant expression", "(global externref (ref.null noextern))"],
    ["an element segment", "(elem anyref (ref.null any))"],
    ["an instruction", "(func (drop (i31.get_s (ref.i31 (i32.const 1)))))"],
    ["a comparison", "(func (unreachable) (ref.eq) (drop))"],
    ["a constant expression", "(global externref (extern.convert_any (ref.i31 (i32.const 1))))"],
    ["a table's initial element", "(table 1 externref (extern.convert_any (ref.i31 (i32.const 1))))"],
    ["an element's expression", "(elem externref (extern.convert_any (ref.i31 (i32.const 1))))"],
    ["a function behind many others", `${"(func (nop))".repeat(300)} (func (drop (ref.i31 (i32.const 1))))`],
  ])("in %s", async (_what, coreBody) => {
    const component = await pluginOf(coreBody);
    const { code, message } = refusalOf(() => passGate(component));
    expect(code).toBe("component-rejected");
    expect(message).toMatch(
      /^garbage collection \(.+\) is not supported \(at byte \d+, in component > core module 0\)/,
    );
    expect(message).toContain("keeps its objects in linear memory");
  });

  test("in a module that is imported into", async () => {
    const component = await assemblePlugin({
      insert: { modules: '(core module (import "a" "b" (global anyref)))' },
    });
    expect(refusalOf(() => passGate(component)).message).toContain("garbage collection (the type any)");
  });
});

describe("a tag is refused, and with it every exception,", () => {
  test.each([
    ["where it is defined", { "core-body": "(tag (param i32))" }],
    ["beside what throws and catches", { "core-body": "(tag $t) (func (block (try_table (catch_all 0) (throw $t))))" }],
    ["where it is imported", { modules: '(core module (import "a" "b" (tag)))' }],
  ])("%s", async (_what, insert) => {
    const component = await assemblePlugin({ insert });
    const { code, message } = refusalOf(() => passGate(component));
    expect(code).toBe("component-rejected");
    expect(message).toMatch(/^exception handling \(a tag\) is not supported/);
    expect(message).toContain("without WebAssembly exceptions");
  });
});

describe("what lives on no such heap passes", () => {
  test.each([
    ["typed references to functions", "(type $f (func)) (func (param (ref null $f)) (call_ref $f (local.get 0)))"],
    [
      "tables and globals of references",
      "(table 5 externref) (table 5 funcref) (global (mut externref) (ref.null extern))",
    ],
    ["tail calls", "(func $f return_call $f)"],
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
    expect(passGate(component).exports).toEqual(["local:network-host/handler@1.0.0"]);
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
    const built = ["examples/echo-c/echo", "examples/user-data-rust/user-data-rust"].map((name) =>
      readFileSync(new URL(`../../../${name}.wasm`, import.meta.url)),
    );
    for (const component of [everything, ...built])
      for (const definition of walkDefinitions(readComponent(component)))
        if (definition.kind === "core-module" && definition.module.bytes.length < 20_000)
          modules.push(definition.module.bytes);
  });

  test("is read, or refused by a rule that names itself, whatever was changed in it", () => {
    // Prefixes of instructions and codes of types as often as all other bytes.
    const byte = fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(0xfb, 0xfc, 0xfd, 0xfe, 0x6e, 0x6c, 0x69, 0x63, 0x64, 0xd0, 0x1f, 0x06, 0x40, 0x70),
    );
    const change = fc.record({ place: fc.nat(), byte });
    let [read, refused] = [0, 0];
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
          expect(error.message).toMatch(/^garbage collection \(/);
          refused += 1;
        }
      }),
      { numRuns: 20_000, interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
    expect(read).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(0);
  });
});
