import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planComponent } from "../../../src/compiler/link-plan/plan-component.ts";
import {
  HOST_MODULE,
  LINK_PLAN_FILE,
  type LinkPlan,
  MAX_RESTORED_GLOBALS,
  type PlanModule,
} from "../../../src/contract/link-plan.ts";
import { STOP_FLAG, STOP_FLAG_PAGES } from "../../../src/contract/stop-flag.ts";
import { HostError } from "../../../src/errors/host-error.ts";
import { parsePlan } from "../../../src/runner/linker/parse-plan.ts";
import { assemble, assemblePlugin } from "../../fixtures/wat/assemble.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

function planned(component: Uint8Array): { plan: LinkPlan; modules: WebAssembly.Instance[]; text: string } {
  const planning = planComponent(component);
  if (planning.kind === "refused") throw new Error(planning.reason);
  const text = Buffer.from(planning.files.get(LINK_PLAN_FILE) ?? []).toString("utf8");
  const plan = parsePlan(text);
  const modules = plan.modules
    .filter((_, index) => plan.instances.some(({ module, imports }) => module === index && imports.length === 0))
    .map((module) => {
      const compiled = new WebAssembly.Module(Buffer.from(planning.files.get(module.file) ?? []));
      return new WebAssembly.Instance(compiled, { [HOST_MODULE]: hostMemories(module) });
    });
  return { plan, modules, text };
}

/** What the linker gives to a module. */
function hostMemories({ memories, changeMaps }: PlanModule): Record<string, WebAssembly.Memory> {
  const flag = { initial: STOP_FLAG_PAGES, maximum: STOP_FLAG_PAGES, shared: true };
  const given: Record<string, WebAssembly.Memory> = { [STOP_FLAG]: new WebAssembly.Memory(flag) };
  for (const { name } of changeMaps) given[name] = new WebAssembly.Memory({ initial: 1 });
  for (const { name, imported } of memories) {
    const { minPages = 0, maxPages = null } = imported ?? {};
    given[name] = new WebAssembly.Memory({ initial: minPages, ...(maxPages !== null && { maximum: maxPages }) });
  }
  return given;
}

function reasonOf(component: Uint8Array): string | undefined {
  const planning = planComponent(component);
  return planning.kind === "refused" ? planning.reason : undefined;
}

async function plugin(coreBody: string): Promise<Uint8Array> {
  return await assemblePlugin({ insert: { "core-body": coreBody } });
}

describe("a link plan", () => {
  it("names the handler's functions, and exports every memory and mutable global", async () => {
    const { plan, modules } = planned(await plugin("(global (mut i64) (i64.const 7)) (global i32 (i32.const 1))"));
    expect(Object.keys(plan.exports["local:network-host/handler@1.0.0"] ?? {})).toEqual([
      "get-access-levels",
      "handle-request",
    ]);
    expect(plan.modules[0]).toMatchObject({
      memories: [{ name: "state memory 0", imported: { minPages: 1, maxPages: null } }],
      globals: [["state global 0", "i64"]],
    });
    const exports = modules[0]?.exports as Record<string, { value?: bigint }>;
    expect(exports["state memory 0"]).toBe(exports["memory"]);
    expect(exports["state global 0"]?.value).toBe(7n);
  });

  it("puts back as many globals as it says, of every type that is bits", async () => {
    const globals = ["i32.const 1", "i64.const 2", "f32.const 3", "f64.const 4", "v128.const i64x2 5 6"];
    const text = Array.from({ length: MAX_RESTORED_GLOBALS }, (_, index) => {
      const initial = globals[index % globals.length] as string;
      return `(global (mut ${initial.split(".")[0]}) (${initial}))`;
    });
    const { plan } = planned(await plugin(text.join("")));
    expect(plan.freshness).toEqual({ kind: "restorable" });
    expect(plan.modules[0]?.globals.slice(0, 5).map(([, type]) => type)).toEqual(["i32", "i64", "f32", "f64", "v128"]);
  });

  it("is made for a module without any export", async () => {
    const component = await assemblePlugin({
      insert: { modules: "(core module $more (global (mut i32) (i32.const 3))) (core instance (instantiate $more))" },
    });
    expect(planned(component).plan.modules[1]).toMatchObject({ globals: [["state global 0", "i32"]] });
  });

  it.each([
    ["changes a table", "(table 2 funcref) (func (table.set (i32.const 0) (ref.null func)))", "changes a table"],
    ["grows a table", "(table 2 funcref) (func (drop (table.grow (ref.null func) (i32.const 1))))", "changes a table"],
    ["drops a segment", '(data $passive "a") (func (data.drop $passive))', "drops a segment"],
    ["has a mutable reference", "(global (mut externref) (ref.null extern))", "a reference"],
    [
      "has more globals than are put back",
      Array.from({ length: MAX_RESTORED_GLOBALS + 1 }, () => "(global (mut i32) (i32.const 0))").join(""),
      "mutable globals",
    ],
  ])("asks for new instances where code %s", async (_, body, reason) => {
    expect(planned(await plugin(body)).plan.freshness).toEqual({
      kind: "fresh",
      reason: expect.stringContaining(reason) as string,
    });
  });

  it.each([
    ["1", { kind: "compared", reason: "its memory begins with 64 KiB, less than 128" }],
    ["2", { kind: "noted" }],
  ])("notes changes where memories begin with at least 128 KiB: %s pages", async (pages, changes) => {
    const component = await assemblePlugin({
      replace: { '(memory (export "memory") 1)': `(memory (export "memory") ${pages})` },
    });
    const { plan } = planned(component);
    expect(plan.changes).toEqual(changes);
    const isNoted = plan.changes.kind === "noted";
    expect(plan.modules[0]?.changeMaps).toEqual(
      isNoted ? [{ name: "change map 0", memory: { kind: "own", index: 0 } }] : [],
    );
    // Also for the stop flag's sake.
    const imported = { minPages: Number(pages), maxPages: null };
    expect(plan.modules[0]?.memories).toEqual([{ name: "state memory 0", imported }]);
  });

  it("notes nothing where an instance is not put back anyway", async () => {
    const insert = { "core-body": "(table 2 funcref) (func (table.set (i32.const 0) (ref.null func)))" };
    const replace = { '(memory (export "memory") 1)': '(memory (export "memory") 9)' };
    const { plan } = planned(await assemblePlugin({ insert, replace }));
    expect(plan.changes).toEqual({ kind: "compared", reason: "an instance is not put back" });
  });

  it("compares memories where a function would become larger than V8 takes", async () => {
    // Each of the stores takes 8 bytes, and some 30 with its note.
    const stores = "(i32.store offset=300 (local.get 0) (local.get 0))".repeat(330_000);
    const replace = { '(memory (export "memory") 1)': '(memory (export "memory") 2)' };
    const { plan } = planned(
      await assemblePlugin({ insert: { "core-body": `(func (param i32) ${stores})` }, replace }),
    );
    expect(plan.changes).toEqual({ kind: "compared", reason: expect.stringContaining("too large") as string });
    expect(plan.modules[0]?.changeMaps).toEqual([]);
  });

  const STARTING =
    "(core module $starting (func $start) (start $start)) (core instance $starting (instantiate $starting))";
  const FILLED = {
    memory: '(core module $filled (import "main" "memory" (memory 1)) (data (i32.const 0) "a"))',
    table: '(core module $filled (import "main" "table" (table 1 funcref)) (func $f) (elem (i32.const 0) func $f))',
    "memory by another name": `(core module $passing (import "main" "memory" (memory 1)) (export "again" (memory 0)))
      (core instance $passing (instantiate $passing (with "main" (instance $main))))
      (core module $filled (import "passing" "again" (memory 1)) (data (i32.const 0) "a"))`,
    "memory of its own": '(core module $filled (memory 1) (data (i32.const 0) "a"))',
    "memory by no active segment":
      '(core module $filled (import "main" "memory" (memory 1)) (data "a") (func (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 1))))',
    "memory before its own start":
      '(core module $filled (import "main" "memory" (memory 1)) (data (i32.const 0) "a") (func $start) (start $start))',
  } as const;

  async function startsOf(modules: string): Promise<(string | null)[]> {
    const component = await assemblePlugin({
      insert: { "core-body": '(table (export "table") 1 funcref)', exports: modules },
    });
    return planned(component).plan.modules.flatMap(({ start }) => (start === null ? [] : [start]));
  }

  it.each([
    ["memory", 0],
    ["memory by another name", 0],
    ["table", 0],
    ["memory of its own", 1],
    ["memory by no active segment", 1],
  ] as const)("lets a start function run later unless it could see the difference: %s", async (filled, count) => {
    const passing = filled === "memory by another name" ? '(with "passing" (instance $passing))' : "";
    const fill = `${FILLED[filled]} (core instance (instantiate $filled (with "main" (instance $main)) ${passing}))`;
    expect(await startsOf(`${STARTING} ${fill}`)).toHaveLength(count);
    // Before the start function, whatever is filled is part of what it starts on.
    expect(await startsOf(`${fill} ${STARTING}`)).toEqual(["state start"]);
  });

  it("lets all start functions run later, or none", async () => {
    const filled = `${FILLED["memory before its own start"]} (core instance (instantiate $filled (with "main" (instance $main))))`;
    expect(await startsOf(filled)).toHaveLength(1);
    expect(await startsOf(`${filled} ${STARTING}`)).toHaveLength(2);
    expect(await startsOf(`${STARTING} ${filled}`)).toHaveLength(0);
  });

  it("finds its way through instructions of every kind", async () => {
    const body = `
      (type $pair (func (param i32) (result i32))) (tag $tag (param i32)) (table $t 3 funcref) (elem declare func $all)
      (func $all (type $pair) (local f64 v128)
        (block $a (block $b (br_table $a $b 0 (local.get 0))))
        (drop (select (result i32) (i32.const -1) (i32.const 2147483647) (local.get 0)))
        (drop (f64.const 1.5)) (drop (f32.const 2.5)) (drop (i64.const -9223372036854775808))
        (drop (i32.trunc_sat_f64_s (local.get 1)))
        (local.set 2 (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 (v128.const i32x4 1 2 3 4) (local.get 2)))
        (drop (v128.load8_lane 3 (i32.const 0) (local.get 2)))
        (drop (i32x4.extract_lane 1 (v128.load32_zero offset=65 (i32.const 0))))
        (block $caught (result i32) (try_table (result i32) (catch $tag $caught) (throw $tag (i32.const 1)))) (drop)
        (block $all (result exnref) (try_table (catch_all_ref $all)) (ref.null exn)) (drop)
        (drop (block $taken (result (ref $pair)) (br_on_non_null $taken (ref.func $all)) (unreachable)))
        (drop (call_ref $pair (i32.const 1) (ref.as_non_null (ref.null $pair)))) (drop (ref.func $all))
        (atomic.fence) (drop (i64.atomic.rmw.add offset=300 (i32.const 0) (i64.const 1)))
        (drop (memory.atomic.notify (i32.const 0) (i32.const 0)))
        (drop (i8x16.relaxed_swizzle (local.get 2) (local.get 2))) (drop (ref.is_null (ref.null func)))
        (memory.fill (i32.const 0) (i32.const 0) (i32.const 0)) (memory.copy (i32.const 0) (i32.const 0) (i32.const 0))
        (drop (call_indirect $t (type $pair) (i32.const 0) (i32.const 0)))
        (if (result i32) (memory.size) (then (return_call $all (i32.const 1))) (else (memory.grow (i32.const 0)))))`;
    const { plan } = planned(await plugin(body));
    expect(plan.freshness).toEqual({ kind: "restorable" });
    expect(plan.modules[0]?.hidesGrowth).toBe(true);
  });

  it.each([
    [
      "imports a function by itself",
      '(component (import "f" (func)))',
      "imports the function f outside of an interface",
    ],
    [
      "has a module that exports a reserved name",
      '(component (core module (memory (export "state memory 0") 1)))',
      "state memory 0",
    ],
  ])("is refused with the reason where a component %s", async (_, wat, reason) => {
    expect(reasonOf(await assemble(wat))).toContain(reason);
  });

  it("is refused where nested components would be instantiated without end in sight", async () => {
    let wat = "(component $c0)";
    for (let level = 1; level <= 7; level++)
      wat = `(component $c${level} ${wat} ${`(instance (instantiate $c${level - 1}))`.repeat(8)})`;
    expect(reasonOf(await assemble(wat.replace("(component $c7", "(component")))).toContain("too many components");
  });
});

describe("a memory whose size is hidden", () => {
  const CODE = `(func (export "size") (result i32) (memory.size))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))`;

  interface Exports {
    size(): number;
    grow(pages: number): number;
    "state memory 0": WebAssembly.Memory;
    "state memory size": { value: number };
  }

  async function instance(): Promise<Exports> {
    const component = await assemblePlugin({
      insert: { "core-body": CODE },
      replace: { '(memory (export "memory") 1)': '(memory (export "memory") 1 5)' },
    });
    return planned(component).modules[0]?.exports as unknown as Exports;
  }

  it("grows up to its bound as the real one would", async () => {
    const guest = await instance();
    expect([guest.size(), guest.grow(0), guest.grow(2), guest.size()]).toEqual([1, 1, 1, 3]);
    expect([guest.grow(3), guest.grow(-1), guest.grow(65_536), guest.size()]).toEqual([-1, -1, -1, 3]);
    expect([guest.grow(2), guest.size()]).toEqual([3, 5]);
  });

  it("can be put back, and grows again within what is there", async () => {
    const guest = await instance();
    guest.grow(4);
    guest["state memory size"].value = 1;
    expect([guest.size(), guest.grow(5), guest.grow(3), guest.size()]).toEqual([1, -1, 1, 4]);
    expect(guest["state memory 0"].buffer.byteLength).toBe(5 * 65_536);
  });
});

describe("a plan's parser", () => {
  const { text } = planned(
    readFileSync(new URL("../../../examples/user-data-rust/user-data-rust.wasm", import.meta.url)),
  );

  /** Replaces one value somewhere in a plan. */
  function mutate(value: unknown, path: number, replacement: unknown): unknown {
    if (typeof value !== "object" || value === null) return replacement;
    const keys = Object.keys(value);
    const key = keys[path % Math.max(1, keys.length)];
    if (key === undefined) return replacement;
    const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
    copy[key] = mutate(copy[key], Math.floor(path / keys.length), replacement);
    return copy;
  }

  it("takes what the planner makes", () => {
    expect(JSON.parse(JSON.stringify(parsePlan(text)))).toEqual(JSON.parse(text));
  });

  /** The plan with a change to its first module. */
  function withModule(change: object): string {
    const plan = JSON.parse(text) as { modules: object[] };
    plan.modules[0] = { ...plan.modules[0], ...change };
    return JSON.stringify(plan);
  }

  it.each([
    ["a memory of too many pages", { memories: [{ name: "m", imported: { minPages: 65_537, maxPages: null } }] }],
    ["a memory larger than its bound", { memories: [{ name: "m", imported: { minPages: 3, maxPages: 2 } }] }],
    ["a memory without a size", { memories: [{ name: "m" }] }],
    ["a map of a memory that is not there", { changeMaps: [{ name: "map", memory: { kind: "own", index: 7 } }] }],
    ["a map of no memory", { changeMaps: [{ name: "map", memory: { kind: "table", index: 0 } }] }],
    ["a map of an import without a name", { changeMaps: [{ name: "map", memory: { kind: "import", module: "a" } }] }],
  ])("refuses %s", (_, change) => {
    expect(() => parsePlan(withModule(change))).toThrow(expect.objectContaining({ code: "load-failed" }) as Error);
  });

  it("throws nothing but load-failed, and lets no index out of bounds through", () => {
    const junk = fc.constantFrom(-1, 1e9, 0.5, "x", "__proto__", null, [], {}, true, 2 ** 53);
    fc.assert(
      fc.property(fc.nat(), junk, (path, replacement) => {
        try {
          const plan = parsePlan(JSON.stringify(mutate(JSON.parse(text), path, replacement)));
          for (const { options, signature } of [...plan.lowers, ...plan.lifts]) {
            expect(plan.options[options]).toBeDefined();
            expect(plan.signatures[signature]).toBeDefined();
          }
          for (const { module } of plan.instances) expect(plan.modules[module]).toBeDefined();
        } catch (error) {
          if (!(error instanceof HostError)) throw error;
          expect(error.code).toBe("load-failed");
        }
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS, numRuns: 2_000 },
    );
  });

  it.each(["", "null", "[]", "{}", '{"format":1}'])("refuses %j", (broken) => {
    expect(() => parsePlan(broken)).toThrow("link plan cannot be used");
  });
});
