import { readFileSync } from "node:fs";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { passGate } from "../../../src/compiler/gate/gate.ts";
import { readComponent } from "../../../src/component/read-component.ts";
import { walkDefinitions } from "../../../src/component/walk.ts";
import { HostError } from "../../../src/errors/host-error.ts";
import { assemblePlugin, keyValueStoreImport } from "../../fixtures/wat/assemble.ts";
import { threadCpuMs } from "../../harness/clocks.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";
import { COMPONENT_PREAMBLE } from "../../../src/core-wasm/format.ts";

/** Components as toolchains build them: C, C with HTTP, Rust. */
const BUILT = ["examples/echo-c/echo", "test/components/fetcher", "examples/user-data-rust/user-data-rust"];

const seeds: Uint8Array[] = [];

/** Longest time for one small component: far above what is needed, far below what a bomb takes. */
const MAX_MS = 1_000;

/** What the transpiler may be shown; written down once more, so that a mistake there is not made twice. */
const HARMLESS = /^[A-Za-z0-9_.:/@#$|+[\]-]*$/;

beforeAll(async () => {
  seeds.push(await assemblePlugin({ insert: { imports: keyValueStoreImport() } }));
  for (const name of BUILT) seeds.push(readFileSync(new URL(`../../../${name}.wasm`, import.meta.url)));
});

/** A change of one byte, at a place given as a share of the file. */
const change = fc.record({
  place: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  byte: fc.integer({ min: 0, max: 255 }),
  kind: fc.constantFrom("replace", "insert", "delete"),
});

type Change = { readonly place: number; readonly byte: number; readonly kind: string };

function mutate(bytes: Uint8Array, changes: readonly Change[]): Uint8Array {
  const result = [...bytes];
  for (const { place, byte, kind } of changes) {
    const index = Math.floor(place * result.length);
    if (kind === "replace") result[index] = byte;
    else if (kind === "insert") result.splice(index, 0, byte);
    else result.splice(index, 1);
  }
  return Uint8Array.from(result);
}

/** Passes the gate or is refused: nothing else may come of it, and soon. */
function meetGate(bytes: Uint8Array): "passed" | "refused" {
  const startMs = threadCpuMs();
  try {
    passGate(bytes);
    return "passed";
  } catch (error) {
    expect(error).toBeInstanceOf(HostError);
    expect(error).toMatchObject({ code: "component-rejected" });
    return "refused";
  } finally {
    expect(threadCpuMs() - startMs).toBeLessThan(MAX_MS);
  }
}

/** The part of WebAssembly's JavaScript interface that tells a module's names. */
interface ModuleReader {
  imports(module: WebAssembly.Module): readonly { readonly module: string; readonly name: string }[];
  exports(module: WebAssembly.Module): readonly { readonly name: string }[];
}

/** The names that V8, which has a reader of its own, finds in the core modules of a component. */
function namesByV8(bytes: Uint8Array): string[] {
  return [...walkDefinitions(readComponent(bytes))].flatMap((definition) => {
    if (definition.kind !== "core-module") return [];
    const module = compiled(definition.module.bytes);
    if (module === undefined) return [];
    const reader = WebAssembly.Module as unknown as ModuleReader;
    return reader
      .imports(module)
      .flatMap(({ module: from, name }) => [from, name])
      .concat(reader.exports(module).map(({ name }) => name));
  });
}

/** `undefined` for a module that is not valid: no code generator takes it either. */
function compiled(bytes: Uint8Array): WebAssembly.Module | undefined {
  try {
    return new WebAssembly.Module(Uint8Array.from(bytes));
  } catch {
    return undefined;
  }
}

test("no mutation of a component makes the gate throw anything but its refusal, or take long", () => {
  fc.assert(
    fc.property(fc.nat(BUILT.length), fc.array(change, { minLength: 1, maxLength: 8 }), (seed, changes) => {
      meetGate(mutate(seeds[seed] ?? new Uint8Array(), changes));
    }),
    { numRuns: 3_000, interruptAfterTimeLimit: PROPERTY_TIME_MS },
  );
});

test("no mutation of a name gets one past the gate that a code generator would write unsafely", () => {
  const name = Buffer.from("local:network-host/handler@1.0.0");
  const hostile = fc.constantFrom(..."'\"`\\\n\r$;{}()*=<>? \0".split(""), "\u2028", "é");
  let passed = 0;
  fc.assert(
    fc.property(fc.nat(BUILT.length), fc.double({ min: 0, max: 1, noNaN: true }), hostile, (seed, place, character) => {
      const bytes = Buffer.from(seeds[seed] ?? []);
      // Anywhere in the file, and half of the time in a name that every plugin has.
      const known = bytes.indexOf(name, Math.floor(place * bytes.length));
      const at = known !== -1 && place < 0.5 ? known + Math.floor(place * 2 * name.length) : place * bytes.length;
      Buffer.from(character).copy(bytes, Math.floor(at));
      if (meetGate(bytes) === "refused") return;
      passed += 1;
      expect(namesByV8(bytes).filter((found) => !HARMLESS.test(found))).toEqual([]);
    }),
    { numRuns: 10_000, interruptAfterTimeLimit: PROPERTY_TIME_MS },
  );
  expect(passed).toBeGreaterThan(0);
});

test("twice the component takes the gate about twice the time, not four times", async () => {
  const sized = async (count: number): Promise<Uint8Array> =>
    await assemblePlugin({
      insert: {
        "core-body": Array.from({ length: count }, (_, index) => `(func (export "f${index}"))`).join("\n"),
        modules: Array.from({ length: count / 8 }, (_, index) => `(type (record (field "f${index}" u8)))`).join("\n"),
      },
    });
  const small = await sized(4_000);
  const large = await sized(64_000);
  const fastest = (bytes: Uint8Array): number =>
    Math.min(
      ...Array.from({ length: 5 }, () => {
        const startMs = threadCpuMs();
        expect(meetGate(bytes)).toBe("passed");
        return threadCpuMs() - startMs;
      }),
    );
  fastest(small);
  // Sixteen times the size: quadratic work would take 256 times as long, and what no longer fits into a cache twice.
  expect(fastest(large)).toBeLessThan(100 * Math.max(1, fastest(small)));
});

test("no bytes behind a component's preamble make the gate throw anything but its refusal", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (tail) => {
      meetGate(Uint8Array.from([...COMPONENT_PREAMBLE, ...tail]));
    }),
    { numRuns: 30_000, interruptAfterTimeLimit: PROPERTY_TIME_MS },
  );
});
