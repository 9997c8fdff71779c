import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import type { Component, Definition } from "../../../src/component/model.ts";
import { COMPONENT_NESTING_MAX, readComponent } from "../../../src/component/read-component.ts";
import { TYPE_NESTING_MAX } from "../../../src/component/read-types.ts";
import { assemble, assemblePlugin, keyValueStoreImport } from "../../fixtures/wat/assemble.ts";
import { refusalOf } from "../../fixtures/wat/rejection.ts";
import { COMPONENT_PREAMBLE, CORE_PREAMBLE } from "../../../src/core-wasm/format.ts";

function ofKind<Kind extends Definition["kind"]>(component: Component, kind: Kind) {
  return component.definitions.filter((definition) => definition.kind === kind) as Extract<
    Definition,
    { kind: Kind }
  >[];
}

let plugin: Uint8Array;

beforeAll(async () => {
  plugin = await assemblePlugin();
});

describe("a component", () => {
  test("is read in the file's order with its imports, exports and canonical definitions", async () => {
    const component = readComponent(await assemblePlugin({ insert: { imports: keyValueStoreImport() } }));
    expect(ofKind(component, "import").map(({ name }) => name)).toEqual(["local:network-host/key-value-store@1.0.0"]);
    expect(ofKind(component, "export")).toMatchObject([
      { name: "local:network-host/handler@1.0.0", sort: "instance", ascribed: undefined },
    ]);
    expect(ofKind(component, "canon").map(({ canon }) => canon.kind)).toEqual(["lift", "lift"]);
    expect(ofKind(component, "canon")[1]?.canon).toMatchObject({
      options: { encoding: "utf8", memory: 0, realloc: 0, postReturn: undefined },
    });
    const [nested] = ofKind(component, "component");
    expect(nested?.component.definitions.filter(({ kind }) => kind === "import")).toHaveLength(5);
  });

  test("carries what its core modules import, export and allocate", async () => {
    const wat = `(module
      (import "env" "f" (func)) (import "env" "t" (table 1 2 funcref)) (import "env" "g" (global (mut i64)))
      (import "env" "m" (memory 1))
      (memory 3 9) (table 7 externref) (global $a i32 i32.const -5) (global (mut f64) f64.const 1.5)
      (global v128 v128.const i64x2 1 2) (global (ref null func) ref.null func)
      (func $run) (start $run) (export "run" (func $run)) (export "" (global $a)))`;
    const component = readComponent(await assemble(`(component (core ${wat.replace("(module", "module")})`));
    const [definition] = ofKind(component, "core-module");
    const module = definition?.module;
    expect(module?.imports.map(({ module: from, name, kind }) => `${from}.${name} ${kind}`)).toEqual([
      "env.f func",
      "env.t table",
      "env.g global",
      "env.m memory",
    ]);
    expect(module?.exports.map(({ name, kind, index }) => [name, kind, index])).toEqual([
      ["run", "func", 1],
      ["", "global", 1],
    ]);
    expect(module?.memories).toMatchObject([{ min: 3n, max: 9n, shared: false, wide: false, pageSizeLog2: 16 }]);
    expect(module?.tables).toMatchObject([{ min: 7n, max: undefined }]);
    expect(module?.globals).toEqual([
      { type: 0x7f, mutable: false },
      { type: 0x7c, mutable: true },
      { type: 0x7b, mutable: false },
      { type: 0x70, mutable: false },
    ]);
    expect(module).toMatchObject({ functions: 1, start: 1, tags: 0 });
    expect(() => new WebAssembly.Module(Buffer.from(module?.bytes ?? []))).not.toThrow();
  });

  test.each(["echo-c/echo", "user-data-rust/user-data-rust"])("that a toolchain built (%s) is read", (name) => {
    const component = readComponent(readFileSync(new URL(`../../../examples/${name}.wasm`, import.meta.url)));
    expect(ofKind(component, "export").map((one) => one.name)).toEqual(["local:network-host/handler@1.0.0"]);
  });
});

describe("what is not a component", () => {
  test("a core module is refused with the way to make a component of it", async () => {
    const error = refusalOf(() => readComponent(Uint8Array.from(CORE_PREAMBLE)));
    expect(error.message).toContain("wasm-tools component new");
  });

  test("garbage and the empty file are refused", () => {
    expect(refusalOf(() => readComponent(new Uint8Array(100).fill(7))).message).toContain("preamble");
    expect(refusalOf(() => readComponent(new Uint8Array())).code).toBe("component-rejected");
  });

  test("a component that is cut off anywhere is refused, or is a shorter component that lacks its end", () => {
    const whole = readComponent(plugin).definitions.length;
    for (let length = 0; length < plugin.length; length += 1) {
      let definitions: number | undefined;
      try {
        definitions = readComponent(plugin.subarray(0, length)).definitions.length;
      } catch (error) {
        expect(error).toMatchObject({ code: "component-rejected" });
        continue;
      }
      expect(definitions).toBeLessThanOrEqual(whole);
    }
  });

  test("a section that is longer than what it holds is refused", () => {
    const bytes = Uint8Array.from([...COMPONENT_PREAMBLE, 7, 2, 0, 0]);
    expect(refusalOf(() => readComponent(bytes)).message).toContain("longer than its content");
  });
});

describe("a core module that says a thing twice", () => {
  const section = (id: number, ...content: readonly number[]): number[] => [id, content.length, ...content];
  /** One import, `a` from the module of this letter. */
  const imported = (module: string): number[] => section(2, 1, 1, module.charCodeAt(0), 1, 0x61, 3, 0x7f, 0);
  const inComponent = (...sections: readonly number[][]): Uint8Array =>
    Uint8Array.from([...COMPONENT_PREAMBLE, ...section(1, ...CORE_PREAMBLE, ...sections.flat())]);

  test("cannot hide what it says first behind what it says last", () => {
    const bytes = inComponent(imported("'"), imported("b"));
    expect(refusalOf(() => readComponent(bytes)).message).toContain("core section 2 is out of order");
  });

  test("in another order is refused, as every validator does", () => {
    const bytes = inComponent(section(6, 0), section(5, 0));
    expect(refusalOf(() => readComponent(bytes)).message).toContain("core section 5 is out of order");
  });

  test("in custom sections is read: they stand anywhere and mean nothing", () => {
    const custom = section(0, 1, 0x27);
    const [module] = ofKind(readComponent(inComponent(custom, imported("b"), custom, custom)), "core-module");
    expect(module?.module.imports.map((one) => one.module)).toEqual(["b"]);
  });
});

describe("what the host does not run", () => {
  function nest(depth: number): string {
    return depth === 0 ? "" : `(component ${nest(depth - 1)})`;
  }

  function nestTypes(depth: number): string {
    return depth === 0 ? "(type (instance))" : `(type (instance ${nestTypes(depth - 1)}))`;
  }

  test("components nested to the limit are read, deeper ones refused", async () => {
    const deepest = await assemble(nest(COMPONENT_NESTING_MAX + 1));
    expect(readComponent(deepest).definitions).toHaveLength(1);
    const tooDeep = await assemble(nest(COMPONENT_NESTING_MAX + 2));
    expect(refusalOf(() => readComponent(tooDeep)).message).toContain("nesting components");
  });

  test("types nested to the limit are read, deeper ones refused", async () => {
    const deepest = await assemble(`(component ${nestTypes(TYPE_NESTING_MAX - 1)})`);
    expect(readComponent(deepest).definitions).toHaveLength(1);
    const tooDeep = await assemble(`(component ${nestTypes(TYPE_NESTING_MAX)})`);
    expect(refusalOf(() => readComponent(tooDeep)).message).toContain("nesting types");
  });

  test.each([
    ["a stream", "(type (stream u8))", "stream"],
    ["a future", "(type (future u8))", "future"],
    ["an error context", "(type (list error-context))", "error-context"],
    ["an async function", "(type (func async))", "asynchronous function"],
    ["a built-in of component-model async", "(core func (canon task.cancel))", "canonical built-in"],
    ["a core type", "(core type (func))", "core type"],
    ["a value import", '(import "v" (value string))', "value"],
    ["a module import", '(core type $t (module)) (import "m" (core module (type $t)))', "core type"],
  ])("%s is refused by name", async (_what, wat, message) => {
    const bytes = await assemble(`(component ${wat})`);
    const error = refusalOf(() => readComponent(bytes));
    expect(error.message).toContain(message);
    expect(error.message).toContain("not supported");
  });

  test("a lift with the async option is refused", async () => {
    const bytes = await assemblePlugin({
      replace: {
        '(canon lift (core func $main "get-access-levels"))':
          '(canon lift (core func $main "get-access-levels") async)',
      },
    });
    expect(refusalOf(() => readComponent(bytes)).message).toContain("canonical option");
  });
});
