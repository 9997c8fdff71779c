/** A component cannot make its planning long by having very many of two things at once. */

import { expect, test } from "vitest";
import { planComponent } from "../../../../src/compiler/link-plan/plan-component.ts";
import { ByteWriter } from "../../../../src/core-wasm/byte-writer.ts";
import { BIT_TYPE, COMPONENT_PREAMBLE, MUTABLE, OPCODE, SECTION } from "../../../../src/core-wasm/format.ts";
import {
  encodeModule,
  functionBody,
  functionType,
  importOf,
  section,
  type WrittenSection,
} from "../../../../src/core-wasm/module-writer.ts";
import { threadCpuMs } from "../../../harness/clocks.ts";

/** Eight times what they take, and less than half of what the product of the two numbers took. */
const BOUND_CPU_MS = 4_000;

/** The first section of a component that may come there. */
const CORE_MODULE_SECTION = 1;

function planningMs(sections: readonly WrittenSection[]): number {
  const module = new ByteWriter().bytes(encodeModule(sections));
  const component = new ByteWriter()
    .u8(...COMPONENT_PREAMBLE, CORE_MODULE_SECTION)
    .sized(module)
    .finish();
  const startMs = threadCpuMs();
  expect(planComponent(component).kind).toBe("planned");
  return threadCpuMs() - startMs;
}

function many<Item>(count: number, make: (index: number) => Item): Item[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

const TYPE = section(SECTION.type, [functionType([], [])]);

test("functions and imports", () => {
  const functions = 150_000;
  const tookMs = planningMs([
    TYPE,
    section(
      SECTION.import,
      many(20_000, (index) => importOf(`f${index}`, "func", 0)),
    ),
    section(
      SECTION.function,
      many(functions, () => new ByteWriter().u32(0)),
    ),
    section(
      SECTION.code,
      many(functions, () => functionBody()),
    ),
  ]);
  expect(tookMs).toBeLessThan(BOUND_CPU_MS);
});

test("exports and custom sections", () => {
  const custom = { id: SECTION.custom, content: new ByteWriter().name("") };
  const tookMs = planningMs([
    TYPE,
    section(SECTION.function, [new ByteWriter().u32(0)]),
    ...many(300_000, () => custom),
    section(
      SECTION.global,
      many(50_000, () => new ByteWriter().u8(BIT_TYPE.i32, MUTABLE, OPCODE.i32Const, 0, OPCODE.end)),
    ),
    section(SECTION.code, [functionBody()]),
  ]);
  expect(tookMs).toBeLessThan(BOUND_CPU_MS);
});
