import { expect, test } from "vitest";
import { ByteWriter, unsignedLeb } from "../../../src/core-wasm/byte-writer.ts";
import { COMPONENT_PREAMBLE, CORE_PREAMBLE, OPCODE, SECTION, SECTION_ORDER } from "../../../src/core-wasm/format.ts";
import { encodeModule, exportOf, functionBody, functionType, section } from "../../../src/core-wasm/module-writer.ts";

test("a module is written byte for byte as the specification has it", () => {
  const module = encodeModule([
    section(SECTION.type, [functionType(["i32", "i64"], ["f64"])]),
    section(SECTION.function, [new ByteWriter().u32(0)]),
    section(SECTION.export, [exportOf("run", "func", 0)]),
    section(SECTION.code, [functionBody(OPCODE.unreachable)]),
  ]);
  const sections = ["0107 01 60 02 7f 7e 01 7c", "0302 01 00", "0707 01 03 72756e 00 00", "0a05 01 03 00 00 0b"];
  const expected = `0061736d 01000000 ${sections.join(" ")}`.replaceAll(" ", "");
  expect(Buffer.from(module).toString("hex")).toBe(expected);
  expect(() => new WebAssembly.Module(module)).not.toThrow();
});

test("a module and a component begin with the magic number, then version and layer", () => {
  expect(Buffer.from(CORE_PREAMBLE)).toEqual(Buffer.from("\0asm\x01\0\0\0", "latin1"));
  expect(Buffer.from(COMPONENT_PREAMBLE)).toEqual(Buffer.from("\0asm\x0d\0\x01\0", "latin1"));
});

test("every section but the custom ones has its place in the order", () => {
  const numbers = Object.values(SECTION).filter((id) => id !== SECTION.custom);
  expect([...SECTION_ORDER].sort((a, b) => a - b)).toEqual(numbers);
});

test.each([
  [0, [0]],
  [127, [0x7f]],
  [128, [0x80, 1]],
  [624_485, [0xe5, 0x8e, 0x26]],
  [0xffff_ffff, [0xff, 0xff, 0xff, 0xff, 0x0f]],
])("%i is written as unsigned LEB128", (value, bytes) => {
  expect(unsignedLeb(value)).toEqual(bytes);
});
