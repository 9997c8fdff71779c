import { expect, test } from "vitest";
import { marked } from "../../../bench/replicas/fleet-files.ts";
import { COMPONENT_PREAMBLE } from "../../../src/core-wasm/format.ts";

test("a marked component differs in a custom section at its end alone", () => {
  const component = Uint8Array.from(COMPONENT_PREAMBLE);
  const one = marked(component, "round-1-12");
  expect(one.subarray(0, component.length)).toEqual(Buffer.from(component));
  // Id 0, the section's size, its name with a length before it, then the mark (Binary.md).
  expect([...one.subarray(component.length, component.length + 8)]).toEqual([0, 16, 5, ...Buffer.from("fleet")]);
  expect(one.subarray(component.length + 8).toString()).toBe("round-1-12");
  expect(marked(component, "round-1-13")).not.toEqual(one);
});
