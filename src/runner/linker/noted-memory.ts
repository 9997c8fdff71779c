/**
 * A memory whose changes are noted: only the blocks that the map names are put back. A core module of the linker's own does
 * it, since a call of `memory.copy` costs much less than one of JavaScript's `set`, and reading the map byte by byte nothing.
 *
 * ```wat
 * (module
 *   (import "" "memory" (memory $memory 0)) (import "" "map" (memory $map 1)) (import "" "saved" (memory $saved 0))
 *   (func (export "restore") (param $blocks i32) (local $word i32) (local $block i32)
 *     (loop $words
 *       (if (i64.ne (i64.load $map (local.get $word)) (i64.const 0)) (then
 *         (local.set $block (local.get $word))
 *         (loop $each
 *           (if (i32.load8_u $map (local.get $block)) (then
 *             (memory.copy $memory $saved (at $block) (at $block)
 *               (block's bytes, and those that a store may write beyond, except in the last block))))
 *           (local.set $block (i32.add (local.get $block) (i32.const 1)))
 *           (br_if $each (i32.lt_u (local.get $block) (i32.add (local.get $word) (i32.const 8)))))
 *         (i64.store $map (local.get $word) (i64.const 0))))
 *       (local.set $word (i32.add (local.get $word) (i32.const 8)))
 *       (br_if $words (i32.lt_u (local.get $word) (local.get $blocks))))))
 * ```
 *
 * @module
 */

import { CHANGE_BLOCK_LOG2 } from "../../contract/link-plan.ts";
import { ByteWriter, signedLeb } from "../../core-wasm/byte-writer.ts";
import { BIT_TYPE, EMPTY_BLOCK, HAS_MEMORY_INDEX, OPCODE, opcodeBytes, SECTION } from "../../core-wasm/format.ts";
import { encodeModule, exportOf, functionType, importOf, section } from "../../core-wasm/module-writer.ts";
import { HostError } from "../../errors/host-error.ts";
import { blocksOf, CHANGE_BLOCK_BYTES, type ChangeMap, OVERHANG_BYTES, pagesOf } from "./change-map.ts";
import type { AttachedMemory, SavedMemory } from "./saved-memory.ts";

/** Puts back the first so many blocks of a memory, where its map names them, and clears these notes. */
type RestoreBlocks = (blocks: number) => void;

export class NotedMemory implements SavedMemory {
  readonly byteLength: number;
  /** The first content, and zeroes for as far as any memory has grown. */
  readonly #saved: WebAssembly.Memory;

  constructor(memory: WebAssembly.Memory) {
    this.byteLength = memory.buffer.byteLength;
    this.#saved = new WebAssembly.Memory({ initial: pagesOf(memory) });
    Buffer.from(this.#saved.buffer).set(Buffer.from(memory.buffer));
  }

  attach(memory: WebAssembly.Memory, changes: ChangeMap | undefined): AttachedMemory {
    if (changes === undefined) throw new HostError("internal", "a memory has no map of its changes");
    return new NotedInstance(memory, changes, this.#saved, this.byteLength);
  }
}

class NotedInstance implements AttachedMemory {
  readonly memory: WebAssembly.Memory;
  readonly #changes: ChangeMap;
  readonly #saved: WebAssembly.Memory;
  readonly #savedBytes: number;
  readonly #restoreBlocks: RestoreBlocks;

  constructor(memory: WebAssembly.Memory, changes: ChangeMap, saved: WebAssembly.Memory, savedBytes: number) {
    this.memory = memory;
    this.#changes = changes;
    this.#saved = saved;
    this.#savedBytes = savedBytes;
    compiled ??= new WebAssembly.Module(BINARY);
    const imports = { "": { memory, map: changes.memory, saved } };
    this.#restoreBlocks = new WebAssembly.Instance(compiled, imports).exports["restore"] as RestoreBlocks;
  }

  equals(): boolean {
    const [now, before] = [Buffer.from(this.memory.buffer), Buffer.from(this.#saved.buffer, 0, this.#savedBytes)];
    return now.equals(before);
  }

  begin(): void {
    const lack = pagesOf(this.memory) - pagesOf(this.#saved);
    if (lack > 0) this.#saved.grow(lack);
    this.#changes.clear(this.memory.buffer.byteLength);
  }

  restore(): void {
    this.#restoreBlocks(blocksOf(this.memory));
  }
}

/** Indices of the module's memories. */
const [MEMORY, MAP, SAVED] = [0, 1, 2];

/** An alignment of 1 or 8 bytes in a memory other than the first, and no offset. */
const BYTE_OF_MAP = [HAS_MEMORY_INDEX, MAP, 0];
const WORD_OF_MAP = [HAS_MEMORY_INDEX | Math.log2(8), MAP, 0];

function encode(): Uint8Array {
  const O = OPCODE;
  const [blocks, word, block] = [0, 1, 2];
  const next = [O.localGet, block, O.i32Const, 1, O.i32Add];
  const nextWord = [O.localGet, word, O.i32Const, 8, O.i32Add];
  const at = [O.localGet, block, O.i32Const, CHANGE_BLOCK_LOG2, O.i32Shl];
  // Nothing is behind the last block.
  const overhang = [...next, O.localGet, blocks, O.i32LtU, O.i32Const, Math.log2(OVERHANG_BYTES), O.i32Shl];
  const length = [O.i32Const, ...signedLeb(CHANGE_BLOCK_BYTES), ...overhang, O.i32Add];
  const copy = [...at, ...at, ...length, ...opcodeBytes(O.memoryCopy), MEMORY, SAVED];
  const copyIfNoted = [O.localGet, block, O.i32Load8U, ...BYTE_OF_MAP, O.if, EMPTY_BLOCK, ...copy, O.end];
  const code = [
    [O.loop, EMPTY_BLOCK],
    [O.localGet, word, O.i64Load, ...WORD_OF_MAP, O.i64Eqz, O.i32Eqz, O.if, EMPTY_BLOCK],
    [O.localGet, word, O.localSet, block],
    [O.loop, EMPTY_BLOCK, ...copyIfNoted],
    [...next, O.localTee, block, ...nextWord, O.i32LtU, O.brIf, 0, O.end],
    [O.localGet, word, O.i64Const, 0, O.i64Store, ...WORD_OF_MAP, O.end],
    [...nextWord, O.localTee, word, O.localGet, blocks, O.i32LtU, O.brIf, 0, O.end, O.end],
  ];
  const body = new ByteWriter().u8(1, 2, BIT_TYPE.i32).u8(...code.flat());
  return encodeModule([
    section(SECTION.type, [functionType(["i32"], [])]),
    section(SECTION.import, [
      importOf("memory", "memory", 0, 0),
      importOf("map", "memory", 0, 1),
      importOf("saved", "memory", 0, 0),
    ]),
    section(SECTION.function, [new ByteWriter().u32(0)]),
    section(SECTION.export, [exportOf("restore", "func", 0)]),
    section(SECTION.code, [new ByteWriter().sized(body)]),
  ]);
}

const BINARY = encode();

let compiled: WebAssembly.Module | undefined;
