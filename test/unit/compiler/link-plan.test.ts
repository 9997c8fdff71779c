import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planComponent } from "../../../src/compiler/link-plan/plan-component.ts";
import { LINK_PLAN_FILE, type LinkPlan, MAX_RESTORED_GLOBALS } from "../../../src/contract/link-plan.ts";
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
    .map(({ file }) => new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(planning.files.get(file) ?? []))));
  return { plan, modules, text };
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
    expect(plan.modules[0]).toMatchObject({ memories: ["state memory 0"], globals: [["state global 0", "i64"]] });
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
