import { describe, expect, test } from "vitest";
import { passGate } from "../../../src/compiler/gate/gate.ts";
import { COMPONENT_LIMITS } from "../../../src/contract/component-limits.ts";
import { REPLICA_LIMITS } from "../../../src/contract/limits.ts";
import { assemblePlugin, type PluginEdits } from "../../fixtures/wat/assemble.ts";
import { refusalOf } from "../../fixtures/wat/rejection.ts";
import { threadCpuMs } from "../../harness/clocks.ts";

const WASM_PAGE_BYTES = 65_536;

function repeat(count: number, text: string): string {
  return Array.from({ length: count }, () => text).join("\n");
}

function inModule(wat: string): PluginEdits {
  return { insert: { "core-body": wat } };
}

function beside(wat: string): PluginEdits {
  return { insert: { modules: wat } };
}

const maxPages = COMPONENT_LIMITS.initialMemoryBytes / WASM_PAGE_BYTES;

describe("a component within the limits", () => {
  test.each([
    ["eight memories", inModule(repeat(COMPONENT_LIMITS.memories - 1, "(memory 1)"))],
    ["memory up to the limit", inModule(`(memory ${maxPages - 1})`)],
    ["a table up to the limit", inModule(`(table ${COMPONENT_LIMITS.tableElements} funcref)`)],
    [
      "a nested component, instantiated twice",
      beside(`(component $n (core module $m (memory 1)) (core instance (instantiate $m)))
        (instance (instantiate $n)) (instance (instantiate $n))`),
    ],
    ["memories that are never instantiated", beside(repeat(20, "(core module (memory 1))"))],
    ["as many modules as allowed", beside(repeat(COMPONENT_LIMITS.coreModules - 1, "(core module)"))],
    ["a start function in a core module", inModule("(func $start) (start $start)")],
  ])("passes: %s", async (_what, edits) => {
    expect(passGate(await assemblePlugin(edits)).exports).toEqual(["local:network-host/handler@1.0.0"]);
  });
});

describe("a component beyond a limit", () => {
  test.each([
    [
      "nine memories",
      inModule(repeat(COMPONENT_LIMITS.memories, "(memory 1)")),
      `more than ${COMPONENT_LIMITS.memories} linear memories`,
    ],
    ["2 GiB of initial memory", inModule("(memory 32768)"), "bytes of initial memory"],
    ["too much memory in all", inModule(`(memory ${maxPages})`), "bytes of initial memory"],
    ["shared memory", inModule("(memory 1 2 shared)"), "shared memory"],
    ["64-bit memory", inModule("(memory i64 1)"), "64-bit memory"],
    ["other page sizes", inModule("(memory 1 (pagesize 1))"), "custom page sizes"],
    ["a huge table", inModule(`(table ${COMPONENT_LIMITS.tableElements + 1} funcref)`), "a table begins with"],
    ["a 64-bit table", inModule("(table i64 1 funcref)"), "64-bit tables"],
    ["many tables", inModule(repeat(COMPONENT_LIMITS.tables + 1, "(table 1 funcref)")), "tables"],
    [
      "large tables in all",
      inModule(repeat(3, `(table ${COMPONENT_LIMITS.tableElements} funcref)`)),
      "initial table elements",
    ],
    ["900 core modules", beside(repeat(900, "(core module)")), "core modules"],
    ["many components", beside(repeat(COMPONENT_LIMITS.components, "(component)")), "nested components"],
    [
      "many instances",
      beside(`(core module $m) ${repeat(COMPONENT_LIMITS.instances, "(core instance (instantiate $m))")}`),
      "instances",
    ],
    ["many types", beside(repeat(COMPONENT_LIMITS.types, "(type (list u8))")), "types"],
    [
      "many imports and exports of core modules",
      inModule(
        `(func $f) ${Array.from({ length: COMPONENT_LIMITS.coreExterns }, (_, index) => `(export "e${index}" (func $f))`).join("\n")}`,
      ),
      "imports and exports of core modules",
    ],
    [
      "many imports",
      { insert: { imports: Array.from({ length: 65 }, (_, index) => `(import "i${index}" (instance))`).join("\n") } },
      "64 imports",
    ],
    [
      "many exports",
      {
        insert: {
          exports: Array.from(
            { length: 64 },
            (_, index) => `(instance $i${index}) (export "e${index}" (instance $i${index}))`,
          ).join("\n"),
        },
      },
      "exports",
    ],
  ] satisfies [string, PluginEdits, string][])("is refused: %s", async (_what, edits, message) => {
    const bytes = await assemblePlugin(edits);
    const error = refusalOf(() => passGate(bytes));
    expect(error.code).toBe("component-rejected");
    expect(error.message).toContain(message);
  });

  test.each([
    ["a module with a memory, again and again", beside(repeat(8, "(core instance (instantiate $main))"))],
    [
      "a module of the outermost component, instantiated in a nested one",
      beside(`(component $n (alias outer 1 $main (core module $m)) ${repeat(8, "(core instance (instantiate $m))")})
        (instance (instantiate $n))`),
    ],
    [
      "a component with two memories, four times",
      beside(`(component $n (core module $m (memory 1) (memory 1)) (core instance (instantiate $m)))
        ${repeat(4, "(instance (instantiate $n))")}`),
    ],
  ])("is refused by what it instantiates, however little it defines: %s", async (_what, edits) => {
    const bytes = await assemblePlugin(edits);
    expect(refusalOf(() => passGate(bytes)).message).toContain(
      `more than ${COMPONENT_LIMITS.memories} linear memories`,
    );
  });

  test("is refused at once where it doubles itself at every level of nesting", async () => {
    const levels = ["(component $c0)"];
    for (let level = 1; level < 40; level += 1)
      levels.push(`(component $c${level} (alias outer 1 $c${level - 1} (component $inner))
        (instance (instantiate $inner)) (instance (instantiate $inner)))`);
    const bytes = await assemblePlugin(beside(`${levels.join("\n")} (instance (instantiate $c39))`));
    const startMs = threadCpuMs();
    expect(refusalOf(() => passGate(bytes)).message).toContain(`more than ${COMPONENT_LIMITS.instances} instances`);
    expect(threadCpuMs() - startMs).toBeLessThan(1_000);
  });

  test.each([
    [
      "given to another one",
      '(component $c) (component $n (import "c" (component))) (instance (instantiate $n (with "c" (component $c))))',
    ],
    ["imported", '(component $n (import "c" (component)))'],
    ["exported", '(component $n (component $c) (export "c" (component $c)))'],
    ["exported by an instance", '(component $c) (instance (export "c" (component $c)))'],
  ])("is refused where a component is %s: nobody knows what it instantiates", async (_what, wat) => {
    const bytes = await assemblePlugin(beside(wat));
    expect(refusalOf(() => passGate(bytes)).message).toContain("a component is imported, exported or given");
  });

  test("a file beyond the size limit is refused unread", () => {
    const bytes = new Uint8Array(REPLICA_LIMITS.componentBytes.max + 1);
    expect(refusalOf(() => passGate(bytes)).message).toContain(`at most ${REPLICA_LIMITS.componentBytes.max}`);
  });
});

test("the summary counts memories and tables as often as they are instantiated", async () => {
  const bytes = await assemblePlugin(
    beside(`(core module $m (memory 1) (table 1 funcref))
      (core instance (instantiate $m)) (core instance (instantiate $m))`),
  );
  expect(passGate(bytes)).toMatchObject({ memories: 3, initialMemoryBytes: 3 * WASM_PAGE_BYTES, tables: 2 });
});

test("the summary tells what the component is", async () => {
  const bytes = await assemblePlugin(inModule("(memory 2) (table 3 funcref)"));
  expect(passGate(bytes)).toEqual({
    componentBytes: bytes.length,
    imports: [],
    exports: ["local:network-host/handler@1.0.0"],
    coreModules: 1,
    memories: 2,
    initialMemoryBytes: 3 * WASM_PAGE_BYTES,
    tables: 1,
    makesObjects: false,
  });
});
