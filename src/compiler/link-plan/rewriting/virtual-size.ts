/**
 * Hides the size of a module's only memory: its code sees a global instead. A real memory cannot shrink; the size in a
 * global can.
 *
 * @module
 */

import { ByteWriter, unsignedLeb } from "../../../core-wasm/byte-writer.ts";
import { BIT_TYPE, EMPTY_BLOCK, OPCODE } from "../../../core-wasm/format.ts";
import type { BodyEdits } from "./body-edits.ts";
import type { ModuleEdits } from "./module-edits.ts";
import type { Code, Instruction, Pass } from "./pass.ts";

export class VirtualSize implements Pass {
  readonly name = "virtual size";
  readonly opcodes: ReadonlySet<number> = new Set([OPCODE.memorySize, OPCODE.memoryGrow]);
  /** The index of the global that holds the size. */
  readonly global: number;
  readonly #size: Code;
  readonly #grow: Code;

  /** Adds the global and a function in the place of growing to the module. */
  constructor(edits: ModuleEdits) {
    this.global = edits.addGlobal(Number(edits.module.memories[0]?.min ?? 0n));
    const grow = edits.addFunction(["i32"], ["i32"], growFunction(this.global));
    this.#size = Uint8Array.of(OPCODE.globalGet, ...unsignedLeb(this.global));
    this.#grow = Uint8Array.of(OPCODE.call, ...unsignedLeb(grow));
  }

  visit({ opcode }: Instruction, edits: BodyEdits): void {
    edits.replace(opcode === OPCODE.memorySize ? this.#size : this.#grow);
  }
}

/** Pages of 64 KiB that addresses of 32 bits reach. */
const PAGES_MAX = 65_536;

/** As a signed LEB128 number of one byte. */
const MINUS_ONE = 0x7f;

/**
 * Grows the size in the global by the parameter, and the memory where it is smaller than that; the result is
 * the size before, or -1. What the memory gained before and lost in the global reads as zero, since whoever
 * puts the state back clears it.
 */
function growFunction(globalIndex: number): ByteWriter {
  const O = OPCODE;
  const [wanted, before, lack] = [0, 1, 2];
  const refuse = [O.if, EMPTY_BLOCK, O.i32Const, MINUS_ONE, O.return, O.end];
  return (
    new ByteWriter()
      // Two locals of i32 beside the parameter.
      .u8(1, 2, BIT_TYPE.i32)
      .u8(O.globalGet)
      .u32(globalIndex)
      .u8(O.localSet, before)
      // if wanted > 65536 - before: return -1
      .u8(O.localGet, wanted, O.i32Const)
      .s32(PAGES_MAX)
      .u8(O.localGet, before, O.i32Sub, O.i32GtU, ...refuse)
      // lack = before + wanted - memory.size; if lack > 0
      .u8(O.localGet, before, O.localGet, wanted, O.i32Add, O.memorySize, 0, O.i32Sub, O.localTee, lack)
      .u8(O.i32Const, 0, O.i32GtS, O.if, EMPTY_BLOCK)
      // if memory.grow(lack) = -1: return -1
      .u8(O.localGet, lack, O.memoryGrow, 0, O.i32Const, MINUS_ONE, O.i32Eq, ...refuse, O.end)
      // size = before + wanted; return before
      .u8(O.localGet, before, O.localGet, wanted, O.i32Add, O.globalSet)
      .u32(globalIndex)
      .u8(O.localGet, before, O.end)
  );
}
