/** Constant expressions are read as V8 takes them: whatever V8 takes is read to its end, and what no module may hold is refused. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteReader } from "../../../src/component/byte-reader.ts";
import { readCoreModule } from "../../../src/component/core/read-module.ts";
import { ByteWriter } from "../../../src/core-wasm/byte-writer.ts";
import { OPCODE, SECTION } from "../../../src/core-wasm/format.ts";
import { encodeModule, functionBody, functionType, section } from "../../../src/core-wasm/module-writer.ts";
import { HostError } from "../../../src/errors/host-error.ts";
import { refusalOf } from "../../fixtures/wat/rejection.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

const v8 = WebAssembly as unknown as { validate(bytes: Uint8Array): boolean };

/** Types of the globals that the expressions initialise, and how they are written. */
const TYPE = {
  i32: [0x7f],
  i64: [0x7e],
  f32: [0x7d],
  f64: [0x7c],
  v128: [0x7b],
  func: [0x70],
  extern: [0x6f],
  any: [0x6e],
  struct: [0x63, 0x01],
  array: [0x63, 0x02],
} as const;

type TypeName = keyof typeof TYPE;

/** The types of each module: 0 a function's, 1 a struct, 2 an array. */
const TYPES = section(SECTION.type, [
  functionType([], []),
  new ByteWriter().u8(0x5f, 2, 0x7f, 1, 0x78, 0),
  new ByteWriter().u8(0x5e, 0x7e, 1),
]);

interface WrittenGlobal {
  readonly type: readonly number[];
  readonly expression: readonly number[];
}

/** A module whose constant globals these expressions initialise. */
function moduleOf(globals: readonly WrittenGlobal[]): Uint8Array {
  return encodeModule([
    TYPES,
    section(SECTION.function, [new ByteWriter().u32(0)]),
    section(
      SECTION.global,
      globals.map(({ type, expression }) => new ByteWriter().u8(...type, 0, ...expression, OPCODE.end)),
    ),
    section(SECTION.element, [new ByteWriter().u8(3, 0, 1, 0)]),
    section(SECTION.code, [functionBody()]),
  ]);
}

function read(module: Uint8Array): void {
  readCoreModule(ByteReader.of(module, "module"));
}

function leb(value: number): number[] {
  return [...new ByteWriter().u32(value).finish()];
}

/** Expressions of each type, of every instruction that may stand in one. */
const expressions = fc.letrec<Record<TypeName, readonly number[]>>((tie) => {
  const all = (...parts: (fc.Arbitrary<readonly number[]> | readonly number[])[]): fc.Arbitrary<readonly number[]> =>
    fc
      .tuple(
        ...parts.map((part) => (Array.isArray(part) ? fc.constant(part) : (part as fc.Arbitrary<readonly number[]>))),
      )
      .map((lists) => lists.flat());
  const some = (of: fc.Arbitrary<readonly number[]>): fc.Arbitrary<readonly number[]> => fc.oneof({ maxDepth: 3 }, of);
  const bytes = (count: number): fc.Arbitrary<readonly number[]> =>
    fc.array(fc.integer({ min: 0, max: 255 }), { minLength: count, maxLength: count });
  const number = fc.integer({ min: -64, max: 63 }).map((value) => [value & 0x7f]);
  const computed = (type: "i32" | "i64", first: number): fc.Arbitrary<readonly number[]> =>
    all(tie(type), tie(type), fc.constantFrom([first], [first + 1], [first + 2]));
  const shallow = { maxDepth: 4, depthIdentifier: "expression" } as const;
  const fixed = fc
    .array(some(tie("i64")), { maxLength: 5 })
    .map((operands) => operands.flat().concat(0xfb, 0x08, 2, leb(operands.length)));
  return {
    i32: fc.oneof(shallow, all([0x41], number), computed("i32", 0x6a)),
    i64: fc.oneof(shallow, all([0x42], number), computed("i64", 0x7c)),
    f32: all([0x43], bytes(4)),
    f64: all([0x44], bytes(8)),
    v128: all([0xfd, 0x0c], bytes(16)),
    func: fc.constantFrom([0xd0, 0x70], [0xd2, 0], [0xd0, 0x73]),
    extern: fc.oneof(shallow, fc.constantFrom([0xd0, 0x6f], [0xd0, 0x72]), all(tie("any"), [0xfb, 0x1b])),
    any: fc.oneof(
      shallow,
      fc.constantFrom([0xd0, 0x6e], [0xd0, 0x71], [0xd0, 0x01]),
      all(tie("i32"), [0xfb, 0x1c]),
      tie("struct"),
      tie("array"),
      all(tie("extern"), [0xfb, 0x1a]),
    ),
    struct: fc.oneof(shallow, fc.constant([0xfb, 0x01, 1]), all(tie("i32"), tie("i32"), [0xfb, 0x00, 1])),
    array: fc.oneof(
      shallow,
      fc.constant([0xd0, 0x02]),
      all(tie("i64"), tie("i32"), [0xfb, 0x06, 2]),
      all(tie("i32"), [0xfb, 0x07, 2]),
      fixed,
    ),
  };
});

const global: fc.Arbitrary<WrittenGlobal> = fc.oneof(
  ...(Object.keys(TYPE) as TypeName[]).map((name) =>
    expressions[name].map((expression) => ({ type: TYPE[name], expression })),
  ),
);

describe("a constant expression", () => {
  it("of any instruction that V8 takes is read to its end", () => {
    fc.assert(
      fc.property(fc.array(global, { minLength: 1, maxLength: 8 }), (globals) => {
        const module = moduleOf(globals);
        expect(v8.validate(module)).toBe(true);
        expect(() => read(module)).not.toThrow();
      }),
      { numRuns: 5_000, interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
  });

  it("is read wherever V8 takes it, whatever was changed in it", () => {
    const change = fc.record({
      place: fc.nat(),
      byte: fc.oneof(
        fc.integer({ min: 0, max: 255 }),
        fc.constantFrom(0xfb, 0xfd, 0xd0, 0xd2, 0x23, 0x0b, 0x00, 0x01, 0x06, 0x07, 0x08, 0x1a, 0x1b, 0x1c, 0x80, 0x88),
      ),
    });
    let [taken, refused] = [0, 0];
    fc.assert(
      fc.property(
        fc.array(global, { minLength: 1, maxLength: 3 }),
        fc.array(change, { minLength: 1, maxLength: 3 }),
        (globals, changes) => {
          const expressions = globals.map(({ expression }) => [...expression]);
          for (const { place, byte } of changes) {
            const changed = expressions[place % expressions.length] ?? [];
            changed[place % changed.length] = byte;
          }
          const module = moduleOf(globals.map(({ type }, index) => ({ type, expression: expressions[index] ?? [] })));
          if (v8.validate(module)) {
            taken += 1;
            expect(() => read(module)).not.toThrow();
            return;
          }
          refused += 1;
          try {
            read(module);
          } catch (error) {
            // It may be read, since this is no validator; but it ends by no other error.
            if (!(error instanceof HostError)) throw error;
          }
        },
      ),
      { numRuns: 20_000, interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
    expect(taken).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(0);
  });

  it("with thousands of operands is read in one loop", () => {
    const operands = Array.from({ length: 10_000 }, () => [0x42, 1]).flat();
    const module = moduleOf([{ type: TYPE.array, expression: [...operands, 0xfb, 0x08, 2, ...leb(10_000)] }]);
    expect(v8.validate(module)).toBe(true);
    expect(() => read(module)).not.toThrow();
  });

  it("reads the number behind a prefix as one of several bytes, as V8 does", () => {
    const module = moduleOf([{ type: TYPE.struct, expression: [0xfb, 0x81, 0x00, 1] }]);
    expect(v8.validate(module)).toBe(true);
    expect(() => read(module)).not.toThrow();
  });

  it.each<[string, readonly number[], string]>([
    ["array.new_data", [0x41, 0, 0x41, 0, 0xfb, 0x09, 2, 0], "0xfb 0x9"],
    ["array.new_elem", [0x41, 0, 0x41, 0, 0xfb, 0x0a, 2, 0], "0xfb 0xa"],
    ["struct.get", [0xfb, 0x01, 1, 0xfb, 0x02, 1, 0], "0xfb 0x2"],
    ["ref.cast", [0xfb, 0x01, 1, 0xfb, 0x16, 1], "0xfb 0x16"],
    ["i32.and", [0x41, 1, 0x41, 1, 0x71], "0x71"],
    ["call", [0x10, 0], "0x10"],
    ["an instruction that does not exist", [0xfb, 0x7f], "0xfb 0x7f"],
  ])("with %s is refused, as V8 does", (_, expression, says) => {
    const module = moduleOf([{ type: TYPE.any, expression }]);
    expect(v8.validate(module)).toBe(false);
    const { code, message } = refusalOf(() => read(module));
    expect(code).toBe("component-rejected");
    expect(message).toContain(`instruction ${says} in a constant expression is not supported`);
  });

  it("that announces more than follows is malformed", () => {
    const module = moduleOf([{ type: TYPE.any, expression: [0xfb] }]);
    expect(refusalOf(() => read(module)).code).toBe("component-rejected");
  });
});
