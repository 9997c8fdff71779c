import { readFileSync } from "node:fs";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { passGate } from "../../../src/compiler/gate/gate.ts";
import { HostError } from "../../../src/errors/host-error.ts";
import { assemblePlugin, keyValueStoreImport } from "../../fixtures/wat/assemble.ts";

const seeds: Uint8Array[] = [];

/** Longest time for one small component: far above what is needed, far below what a bomb takes. */
const MAX_MS = 1_000;

beforeAll(async () => {
  seeds.push(await assemblePlugin({ insert: { imports: keyValueStoreImport() } }));
  seeds.push(readFileSync(new URL("../../../examples/user-data-rust/user-data-rust.wasm", import.meta.url)));
});

/** A change of one byte, at a place given as a share of the file. */
const change = fc.record({
  place: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  byte: fc.integer({ min: 0, max: 255 }),
  kind: fc.constantFrom("replace", "insert", "delete"),
});

function mutate(bytes: Uint8Array, changes: readonly { place: number; byte: number; kind: string }[]): Uint8Array {
  const result = [...bytes];
  for (const { place, byte, kind } of changes) {
    const index = Math.floor(place * result.length);
    if (kind === "replace") result[index] = byte;
    else if (kind === "insert") result.splice(index, 0, byte);
    else result.splice(index, 1);
  }
  return Uint8Array.from(result);
}

test("no mutation of a component makes the gate throw anything but its refusal, or take long", () => {
  fc.assert(
    fc.property(fc.nat(1), fc.array(change, { minLength: 1, maxLength: 8 }), (seed, changes) => {
      const bytes = mutate(seeds[seed] ?? new Uint8Array(), changes);
      const startMs = performance.now();
      try {
        passGate(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(HostError);
        expect(error).toMatchObject({ code: "component-rejected" });
      }
      expect(performance.now() - startMs).toBeLessThan(MAX_MS);
    }),
    { numRuns: 100_000, interruptAfterTimeLimit: 2_000, markInterruptAsFailure: false },
  );
});

test("no bytes behind a component's preamble make the gate throw anything but its refusal", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (tail) => {
      try {
        passGate(Uint8Array.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0, ...tail]));
      } catch (error) {
        expect(error).toMatchObject({ code: "component-rejected" });
      }
    }),
    { numRuns: 100_000, interruptAfterTimeLimit: 1_000, markInterruptAsFailure: false },
  );
});
