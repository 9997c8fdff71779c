import { beforeEach, describe, expect, it, test } from "vitest";
import { findStopPlaces } from "../../../../src/compiler/link-plan/rewriting/call-graph.ts";
import { ModuleEdits } from "../../../../src/compiler/link-plan/rewriting/module-edits.ts";
import { rewriteCode } from "../../../../src/compiler/link-plan/rewriting/rewrite-code.ts";
import { StopChecks } from "../../../../src/compiler/link-plan/rewriting/stop-checks.ts";
import { HOST_MODULE } from "../../../../src/contract/link-plan.ts";
import { STOP_FLAG } from "../../../../src/contract/stop-flag.ts";
import { coreModule, type Exported, instantiateCore } from "./core-module.ts";

const flag = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
const word = new Int32Array(flag.buffer);

beforeEach(() => {
  word[0] = 0;
});

/** The exports of a module of these fields that looks at `flag`. */
async function stoppable(fields: string): Promise<Record<string, Exported>> {
  const edits = new ModuleEdits(await coreModule(fields));
  rewriteCode(edits, [new StopChecks(edits)]);
  const host = { call: () => undefined, memory: new WebAssembly.Memory({ initial: 1 }) };
  return instantiateCore(edits.finish(), { [HOST_MODULE]: { [STOP_FLAG]: flag }, host });
}

/** The places in the text of the functions that look when they begin. */
async function checkedAmong(fields: string): Promise<number[]> {
  return [...findStopPlaces(new ModuleEdits(await coreModule(fields))).functions].toSorted((one, other) => one - other);
}

describe("code that would go on", () => {
  // Each returns at once where its parameter is 0, and has far to go where it is not.
  test.each([
    ["a loop", `(func (export "run") (param i32) (loop (br_if 0 (local.get 0))))`],
    [
      "a loop with parameters and results",
      `(func (export "run") (param i32) (local i32)
        (local.set 1 (i32.const 7) (loop (param i32) (result i32) (br_if 0 (local.get 0)))))`,
    ],
    ["recursion", `(func $f (export "run") (param i32) (if (local.get 0) (then (call $f (local.get 0)))))`],
    ["a tail call", `(func $f (export "run") (param i32) (if (local.get 0) (then (return_call $f (local.get 0)))))`],
    [
      "a call by table",
      `(table 1 funcref) (elem (i32.const 0) $f)
       (func $f (export "run") (param i32)
         (if (local.get 0) (then (return_call_indirect (param i32) (local.get 0) (i32.const 0)))))`,
    ],
    [
      "a call by reference",
      `(type $t (func (param i32))) (elem declare func $f)
       (func $f (export "run") (type $t) (if (local.get 0) (then (return_call_ref $t (local.get 0) (ref.func $f)))))`,
    ],
    [
      "a loop that catches everything",
      `(tag $t) (func $f (if (i32.const 1) (then (throw $t))))
       (func (export "run") (param i32)
         (loop (block $caught (try_table (catch_all $caught) (call $f))) (br_if 0 (local.get 0))))`,
    ],
    [
      "a memory that is filled again and again, without a loop",
      `(import "host" "memory" (memory 1)) (func (export "run") (param i32) (memory.fill (i32.const 0) (local.get 0) (i32.const 65536)))`,
    ],
    [
      "a memory that is copied",
      `(import "host" "memory" (memory 1)) (func (export "run") (param i32) (memory.copy (i32.const 0) (i32.const 1) (local.get 0)))`,
    ],
    [
      "a table that is filled",
      `(table 9 funcref) (func (export "run") (param i32) (table.fill (i32.const 0) (ref.null func) (local.get 0)))`,
    ],
    [
      "large arrays",
      `(type $a (array i8))
       (func (export "run") (param i32) (drop (array.new_default $a (local.get 0))))`,
    ],
  ])("stops where the flag is set: %s", async (_what, fields) => {
    const { run } = await stoppable(fields);
    for (const running of [0, 1, 0x7fff_ffff]) {
      word[0] = running;
      expect(() => run?.(0)).not.toThrow();
    }
    for (const stopping of [-1, -0x7fff_ffff]) {
      word[0] = stopping;
      expect(() => run?.(1)).toThrow(/unreachable/);
    }
  });
});

it("looks where cycles of calls lead through, once for each, and where what is called is not known", async () => {
  expect(await checkedAmong("(func) (func (call 0)) (func (call 1) (call 0))")).toEqual([]);
  expect(await checkedAmong("(func (call 0)) (func (call 2)) (func (call 3)) (func (call 1) (call 0))")).toEqual([
    0, 1,
  ]);
  expect(await checkedAmong("(func (return_call 1)) (func (return_call 0))")).toEqual([0]);
  expect(await checkedAmong(`(import "host" "call" (func)) (func) (func (call 0)) (func (call 2))`)).toEqual([2]);
  expect(await checkedAmong("(table 1 funcref) (func (call_indirect (i32.const 0))) (func (call 0))")).toEqual([0]);
});

it("looks where much is done without: in functions that double in a row, at last every so many", async () => {
  const ROWS = 60;
  const rows = Array.from({ length: ROWS }, (_, row) => `(func (call ${row}) (call ${row}))`).join(" ");
  const checked = await checkedAmong(`(func (export "first")) ${rows}`);
  expect(checked.length).toBeGreaterThan(ROWS / 20);
  expect(checked.length).toBeLessThan(ROWS / 4);
  const large = "(drop (i32.add (i32.const 1) (i32.const 2)))".repeat(4_000);
  expect(await checkedAmong(`(func ${large}) (func (call 0))`)).toEqual([0]);
});

it("looks in between where one function calls very many others that do not look", async () => {
  const work = "(global.set $g (i32.add (global.get $g) (i32.const 1)))".repeat(1_000);
  // The flag is set while the function runs, long after it has looked first.
  const fields = `(import "host" "call" (func $set)) (global $g (export "g") (mut i32) (i32.const 0))
    (func $work ${work})
    (func (export "run") (call $set) ${"(call $work)".repeat(100)})`;
  const edits = new ModuleEdits(await coreModule(fields));
  rewriteCode(edits, [new StopChecks(edits)]);
  const host = { call: () => void (word[0] = -1) };
  const { run, g } = instantiateCore(edits.finish(), { [HOST_MODULE]: { [STOP_FLAG]: flag }, host });
  expect(() => run?.()).toThrow(/unreachable/);
  expect(g?.value).toBeLessThan(10_000);
});

it("takes a row of calls of any length", async () => {
  const rows = Array.from({ length: 50_000 }, (_, row) => `(func (call ${row}))`).join(" ");
  expect((await checkedAmong(`(func) ${rows}`)).length).toBeGreaterThan(0);
});

it("leaves code without loops and calls as it is", async () => {
  const edits = new ModuleEdits(await coreModule(`(func (export "one") (result i32) (i32.const 1))`));
  rewriteCode(edits, [new StopChecks(edits)]);
  word[0] = -1;
  const { one } = instantiateCore(edits.finish(), { [HOST_MODULE]: { [STOP_FLAG]: flag } });
  expect(one?.()).toBe(1);
});
