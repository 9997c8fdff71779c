import { expect, it } from "vitest";
import type { BodyEdits } from "../../../../src/compiler/link-plan/rewriting/body-edits.ts";
import { ModuleEdits } from "../../../../src/compiler/link-plan/rewriting/module-edits.ts";
import type { Code, Instruction, Pass } from "../../../../src/compiler/link-plan/rewriting/pass.ts";
import { rewriteCode } from "../../../../src/compiler/link-plan/rewriting/rewrite-code.ts";
import { HOST_MODULE } from "../../../../src/contract/link-plan.ts";
import { unsignedLeb } from "../../../../src/core-wasm/byte-writer.ts";
import { OPCODE, prefixedOpcode } from "../../../../src/core-wasm/format.ts";
import { coreModule, instantiateCore } from "./core-module.ts";

type Visit = (edits: BodyEdits, instruction: Instruction, pass: Pass) => void;

function passOf(name: string, opcodes: readonly number[], visit: Visit, enter?: Visit): Pass {
  const pass: Pass = {
    name,
    opcodes: new Set(opcodes),
    visit: (instruction, edits) => visit(edits, instruction, pass),
    enter: (edits) => enter?.(edits, { opcode: -1, bytes: new Uint8Array() }, pass),
  };
  return pass;
}

/** `(global.set $trace (i32.add (i32.mul (global.get $trace) (i32.const 10)) (i32.const digit)))` */
function trace(global: number, digit: number): Code {
  const O = OPCODE;
  const I32_MUL = 0x6c;
  return Uint8Array.of(O.globalGet, global, O.i32Const, 10, I32_MUL, O.i32Const, digit, O.i32Add, O.globalSet, global);
}

it("lets passes nest around an instruction, the first one closest to it, and puts code at a function's start", async () => {
  const module = await coreModule(`(global $trace (export "trace") (mut i32) (i32.const 0))
    (func (export "run") (param i32) (result i32) (loop (br_if 0 (i32.eqz (local.get 0)))) (drop (i32.const 0)) (i32.const 7))`);
  const edits = new ModuleEdits(module);
  const DROP = 0x1a;
  const around = (name: string, digit: number): Pass =>
    passOf(
      name,
      [DROP],
      (body) => {
        // Beneath what the instruction takes, code may do as it likes.
        body.before(trace(0, digit));
        body.behind(trace(0, digit + 2));
      },
      (body) => body.before(trace(0, digit + 4)),
    );
  rewriteCode(edits, [around("inner", 1), around("outer", 2)]);
  const { run, trace: traced } = instantiateCore(edits.finish());
  expect(run?.(1)).toBe(7);
  expect(traced?.value).toBe(652_134);
});

it("gives passes locals of their own behind those of the function, and tells what function it is", async () => {
  const module = await coreModule(`(rec (type (func (param i64))) (type (struct (field i32))))
    (type $two (func (param i32 f64) (result i32)))
    (import "a" "f" (func))
    (func (export "run") (type $two) (local i64 i64 (ref null func) v128) (local.set 2 (i64.const 5))
      (drop (i32.const 3)) (drop (i32.const 4)) (i32.wrap_i64 (local.get 2)))`);
  const edits = new ModuleEdits(module);
  const DROP = 0x1a;
  const seen: unknown[] = [];
  const keeping = passOf(
    "keeping",
    [DROP, OPCODE.end],
    (body, { opcode }, pass) => {
      const last = body.local(pass, "i32");
      const count = body.local(pass, "f32");
      expect(body.local(pass, "i32")).toBe(last);
      expect([last, count, body.local(pass, "i32", 1)]).toEqual([6, 7, 8]);
      if (opcode === DROP) body.replace(Uint8Array.of(OPCODE.localSet, last));
      // The function's result is what was dropped last.
      else body.before(Uint8Array.of(DROP, OPCODE.localGet, last));
    },
    ({ func }) => seen.push(func),
  );
  const other = passOf("other", [OPCODE.end], (body, _, pass) => expect(body.local(pass, "i32")).toBe(9));
  rewriteCode(edits, [keeping, other]);
  expect(seen).toEqual([{ index: 1, params: [0x7f, 0x7c], results: [0x7f], locals: 6 }]);
  expect(instantiateCore(edits.finish(), { a: { f: () => undefined } })["run"]?.(0, 0)).toBe(4);
});

it("tells of instructions with a prefix by an opcode of their own", async () => {
  const module = await coreModule(`(memory 1) (func (memory.fill (i32.const 1) (i32.const 2) (i32.const 3))
    (v128.store offset=300 (i32.const 4) (v128.const i64x2 5 6)) (i64.atomic.store offset=8 (i32.const 8) (i64.const 7))
    (drop (i8x16.relaxed_swizzle (v128.const i64x2 5 6) (v128.const i64x2 5 6))))`);
  const found: string[] = [];
  const opcodes = [prefixedOpcode(0xfc, 0x0b), prefixedOpcode(0xfd, 0x0b), prefixedOpcode(0xfe, 0x18)];
  opcodes.push(prefixedOpcode(0xfd, 0x100));
  const watching = passOf("watching", opcodes, (_, { opcode, bytes }) =>
    found.push(`${opcode.toString(16)}: ${Buffer.from(bytes).toString("hex")}`),
  );
  rewriteCode(new ModuleEdits(module), [watching]);
  expect(found).toEqual(["fc000b: fc0b00", "fd000b: fd0b04ac02", "fe0018: fe180308", "fd0100: fd8002"]);
});

it("leaves a body as it is that no pass changes, and refuses what cannot be", async () => {
  const module = await coreModule("(func (drop (i32.const 1))) (func (local i32 i32))");
  const unchanged = new ModuleEdits(module);
  rewriteCode(unchanged, [passOf("idle", [0x1a], () => undefined)]);
  expect(Buffer.from(unchanged.finish())).toEqual(Buffer.from(module.bytes));
  const replacing = (name: string): Pass => passOf(name, [0x1a], (body) => body.replace(Uint8Array.of(0x1a)));
  expect(() => rewriteCode(new ModuleEdits(module), [replacing("a"), replacing("b")])).toThrow(/two passes replace/);
  const greedy = passOf("greedy", [0x1a], (body, _, pass) => {
    for (let nth = 0; nth <= 50_000; nth += 1) body.local(pass, "i32", nth);
  });
  expect(() => rewriteCode(new ModuleEdits(module), [greedy])).toThrow(/too many locals/);
});

it("imports memories so that those of the module keep their index, content and bounds", async () => {
  const module = await coreModule(`(import "a" "first" (memory 1)) (memory $own (export "own") 1 3)
    (data (memory $own) (i32.const 8) "own") (func (export "size") (result i32) (memory.size $own))`);
  const edits = new ModuleEdits(module);
  const added = edits.importMemory("added", { minPages: 1, maxPages: 1, shared: true });
  const load = [OPCODE.i32Const, 4, 0x28, 0x42, ...unsignedLeb(added), 0, OPCODE.i32Add];
  rewriteCode(edits, [passOf("adding", [OPCODE.memorySize], (body) => body.behind(Uint8Array.of(...load)))]);
  expect([added, edits.importsItsMemories]).toEqual([2, true]);
  const [own, shared] = [
    new WebAssembly.Memory({ initial: 1, maximum: 3 }),
    new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }),
  ];
  new Int32Array(shared.buffer)[1] = 40;
  const given = { "state memory 0": own, added: shared };
  const { own: exported, size } = instantiateCore(edits.finish(), {
    a: { first: new WebAssembly.Memory({ initial: 1 }) },
    [HOST_MODULE]: given,
  });
  expect(exported).toBe(own);
  expect(Buffer.from(own.buffer, 8, 3).toString()).toBe("own");
  expect(size?.()).toBe(41);
});

it("adds globals, functions and exports behind those of the module, and takes no name twice", async () => {
  const module = await coreModule(`(rec (type (func)) (type (func (param i32)))) (import "a" "g" (global i32))
    (global (export "old") i32 (i32.const 1))`);
  const edits = new ModuleEdits(module);
  expect([edits.addGlobal(-70), edits.addGlobal(8)]).toEqual([2, 3]);
  edits.addExport("new", "global", 2);
  expect(() => edits.addExport("old", "global", 2)).toThrow(/exports "old"/);
  const { new: added } = instantiateCore(edits.finish(), { a: { g: 0 } });
  expect(added?.value).toBe(-70);
  const reserved = await coreModule(`(import "${HOST_MODULE}" "anything" (func))`);
  expect(() => new ModuleEdits(reserved)).toThrow(/imports from/);
});
