import { describe, expect, test } from "vitest";
import { passGate } from "../../../src/compiler/gate/gate.ts";
import { GATE_LIMITS } from "../../../src/compiler/gate/limits.ts";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import { assemblePlugin, type PluginEdits } from "../../fixtures/wat/assemble.ts";
import { refusalOf } from "../../fixtures/wat/rejection.ts";

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

const maxPages = GATE_LIMITS.initialMemoryBytes / WASM_PAGE_BYTES;

describe("a component within the limits", () => {
  test.each([
    ["eight memories", inModule(repeat(GATE_LIMITS.memories - 1, "(memory 1)"))],
    ["memory up to the limit", inModule(`(memory ${maxPages - 1})`)],
    ["a table up to the limit", inModule(`(table ${GATE_LIMITS.tableElements} funcref)`)],
    ["as many modules as allowed", beside(repeat(GATE_LIMITS.coreModules - 1, "(core module)"))],
    ["a start function in a core module", inModule("(func $start) (start $start)")],
  ])("passes: %s", async (_what, edits) => {
    expect(passGate(await assemblePlugin(edits)).exports).toEqual(["local:network-host/handler@1.0.0"]);
  });
});

describe("a component beyond a limit", () => {
  test.each([
    [
      "nine memories",
      inModule(repeat(GATE_LIMITS.memories, "(memory 1)")),
      `more than ${GATE_LIMITS.memories} linear memories`,
    ],
    ["2 GiB of initial memory", inModule("(memory 32768)"), "bytes of initial memory"],
    ["too much memory in all", inModule(`(memory ${maxPages})`), "bytes of initial memory"],
    ["shared memory", inModule("(memory 1 2 shared)"), "shared memory"],
    ["64-bit memory", inModule("(memory i64 1)"), "64-bit memory"],
    ["other page sizes", inModule("(memory 1 (pagesize 1))"), "custom page sizes"],
    ["a huge table", inModule(`(table ${GATE_LIMITS.tableElements + 1} funcref)`), "a table begins with"],
    ["a 64-bit table", inModule("(table i64 1 funcref)"), "64-bit tables"],
    ["many tables", inModule(repeat(GATE_LIMITS.tables + 1, "(table 1 funcref)")), "tables"],
    [
      "large tables in all",
      inModule(repeat(3, `(table ${GATE_LIMITS.tableElements} funcref)`)),
      "initial table elements",
    ],
    ["900 core modules", beside(repeat(900, "(core module)")), "core modules"],
    ["many components", beside(repeat(GATE_LIMITS.components, "(component)")), "nested components"],
    ["many instances", beside(repeat(GATE_LIMITS.instances, "(core instance (instantiate $main))")), "instances"],
    ["many types", beside(repeat(GATE_LIMITS.types, "(type (list u8))")), "types"],
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

  test("a file beyond the size limit is refused unread", () => {
    const bytes = new Uint8Array(FIXED_LIMITS.componentBytes + 1);
    expect(refusalOf(() => passGate(bytes)).message).toContain(`at most ${FIXED_LIMITS.componentBytes}`);
  });
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
  });
});
