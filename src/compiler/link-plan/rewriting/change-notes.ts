/**
 * Notes in a map of the host's which blocks of a memory the code changes. Behind each store, one byte of the map is set: that
 * of the block in which the store begins. What a store writes beyond it is at most 15 bytes of the next block, which whoever
 * reads the map takes as changed, too. So a note costs no comparison and no branch.
 *
 * - It stands behind the store: a store that traps notes nothing, and the address of one that does not is within the
 *   memory, so its sum with the offset fits 32 bits, and the note is within the map.
 * - The map is a memory of its own that the module imports behind all others. The module was valid without it, so none of its
 *   own instructions names it, and it is not exported: no guest can read or write a map.
 *
 * @module
 */

import { CHANGE_BLOCK_LOG2 } from "../../../contract/link-plan.ts";
import { ByteWriter } from "../../../core-wasm/byte-writer.ts";
import { EMPTY_BLOCK, HAS_MEMORY_INDEX, OPCODE, opcodeBytes } from "../../../core-wasm/format.ts";
import type { BodyEdits } from "./body-edits.ts";
import { changedMemory, RANGE_STORES, STORES } from "./memory-access.ts";
import type { ModuleEdits } from "./module-edits.ts";
import type { Code, Instruction, Pass } from "./pass.ts";

const O = OPCODE;

/** A memory whose changes are noted. */
interface NotedMemory {
  /** The import's name. */
  readonly name: string;
  /** The index of the map among the module's memories. */
  readonly map: number;
  /** The function that notes a range, where some code needs one. */
  noteRange: number | undefined;
}

export class ChangeNotes implements Pass {
  readonly name = "change notes";
  readonly opcodes: ReadonlySet<number> = new Set([...STORES.keys(), ...RANGE_STORES]);
  readonly #edits: ModuleEdits;
  readonly #noted = new Map<number, NotedMemory>();
  /** Many stores of a module have equal notes. */
  readonly #notes = new Map<string, Code>();

  constructor(edits: ModuleEdits) {
    this.#edits = edits;
  }

  /** Index of each memory that the code changes, and the name by which the module imports its map. */
  get maps(): ReadonlyMap<number, string> {
    return new Map([...this.#noted].map(([memory, { name }]) => [memory, name]));
  }

  visit(instruction: Instruction, edits: BodyEdits): void {
    const { memory, offset } = changedMemory(instruction);
    const noted = this.#notedMemory(memory);
    if (RANGE_STORES.has(instruction.opcode)) this.#noteRange(noted, edits);
    else this.#noteStore(instruction.opcode, offset, noted, edits);
  }

  #noteStore(opcode: number, offset: number, { map }: NotedMemory, edits: BodyEdits): void {
    const address = edits.local(this, "i32");
    const types = STORES.get(opcode) ?? [];
    // The address is another i32.
    const operands = types.map((type, place) => edits.local(this, type, place + (type === "i32" ? 1 : 0)));
    edits.before(setAside(address, operands));
    edits.behind(this.#note(address, offset, map));
  }

  /** Sets the byte of the map for the block of the address with the offset. */
  #note(address: number, offset: number, map: number): Code {
    const key = `${address} ${offset} ${map}`;
    const known = this.#notes.get(key);
    if (known !== undefined) return known;
    const code = new ByteWriter().u8(O.localGet).u32(address);
    if (offset !== 0) code.u8(O.i32Const).s32(offset).u8(O.i32Add);
    // Of one byte: its alignment is 0.
    code.u8(O.i32Const, CHANGE_BLOCK_LOG2, O.i32ShrU, O.i32Const, 1, O.i32Store8, HAS_MEMORY_INDEX).u32(map).u8(0);
    const note = code.finish();
    this.#notes.set(key, note);
    return note;
  }

  #noteRange(noted: NotedMemory, edits: BodyEdits): void {
    const [address, other, length] = [0, 1, 2].map((nth) => edits.local(this, "i32", nth)) as [number, number, number];
    noted.noteRange ??= this.#edits.addFunction(["i32", "i32"], [], rangeFunction(noted.map));
    edits.before(setAside(address, [other, length]));
    const code = new ByteWriter().u8(O.localGet).u32(address).u8(O.localGet).u32(length);
    edits.behind(code.u8(O.call).u32(noted.noteRange).finish());
  }

  #notedMemory(memory: number): NotedMemory {
    const known = this.#noted.get(memory);
    if (known !== undefined) return known;
    const name = `change map ${memory}`;
    const map = this.#edits.importMemory(name, { minPages: 1, maxPages: undefined, shared: false });
    const noted: NotedMemory = { name, map, noteRange: undefined };
    this.#noted.set(memory, noted);
    return noted;
  }
}

/** Keeps a copy of the address, which lies beneath the operands. */
function setAside(address: number, operands: readonly number[]): Code {
  const code = new ByteWriter();
  for (const local of operands.toReversed()) code.u8(O.localSet).u32(local);
  code.u8(O.localTee).u32(address);
  for (const local of operands) code.u8(O.localGet).u32(local);
  return code.finish();
}

/**
 * ```wat
 * (func (param $from i32) (param $length i32)
 *   (if (local.get $length) (then
 *     (memory.fill $map (block of $from) (i32.const 1)
 *       (block of ($from + $length - 1)) - (block of $from) + 1))))
 * ```
 */
function rangeFunction(map: number): ByteWriter {
  const [from, length] = [0, 1];
  const block = [O.i32Const, CHANGE_BLOCK_LOG2, O.i32ShrU];
  const first = [O.localGet, from, ...block];
  const last = [O.localGet, from, O.localGet, length, O.i32Add, O.i32Const, 1, O.i32Sub, ...block];
  return new ByteWriter()
    .u8(0, O.localGet, length, O.if, EMPTY_BLOCK)
    .u8(...first, O.i32Const, 1, ...last, ...first, O.i32Sub, O.i32Const, 1, O.i32Add)
    .u8(...opcodeBytes(O.memoryFill))
    .u32(map)
    .u8(O.end, O.end);
}
