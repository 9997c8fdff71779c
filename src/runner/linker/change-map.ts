/**
 * The map in which is noted what changes in one memory of an instance, one byte for each block of the memory: by the guest's
 * code, into which the compiler wrote the notes, and by the host for what it lowers. The guest cannot name the map.
 *
 * A byte that is not 0 says that the block has changed, and perhaps the first {@link OVERHANG_BYTES} bytes of the next one.
 *
 * @module
 */

import { WASM_PAGE_BYTES } from "../../contract/component-limits.ts";
import { CHANGE_BLOCK_LOG2 } from "../../contract/link-plan.ts";

export const CHANGE_BLOCK_BYTES: number = 2 ** CHANGE_BLOCK_LOG2;

/** A store is noted for the block in which it begins. The longest, of 16 bytes, ends 15 bytes into the next. */
export const OVERHANG_BYTES = 16;

/** Pages of memory for whose blocks one page of a map has room. */
const PAGES_PER_MAP_PAGE = CHANGE_BLOCK_BYTES;

export class ChangeMap {
  /** What the guest's modules import. */
  readonly memory: WebAssembly.Memory;
  readonly #bytes: Uint8Array;

  /** @param memoryPages the most pages that the noted memory may ever have */
  constructor(memoryPages: number) {
    this.memory = new WebAssembly.Memory({ initial: Math.max(1, Math.ceil(memoryPages / PAGES_PER_MAP_PAGE)) });
    this.#bytes = new Uint8Array(this.memory.buffer);
  }

  /** The host writes `length` bytes at `pointer`; they are within the memory. */
  note(pointer: number, length: number): void {
    if (length === 0) return;
    const last = (pointer + length - 1) >>> CHANGE_BLOCK_LOG2;
    for (let block = pointer >>> CHANGE_BLOCK_LOG2; block <= last; block += 1) this.#bytes[block] = 1;
  }

  /** From now on, nothing has changed in a memory of `bytes` bytes. */
  clear(bytes: number): void {
    this.#bytes.fill(0, 0, bytes >>> CHANGE_BLOCK_LOG2);
  }
}

/** The number of blocks of a memory. */
export function blocksOf(memory: WebAssembly.Memory): number {
  return memory.buffer.byteLength / CHANGE_BLOCK_BYTES;
}

/** Pages of a memory. */
export function pagesOf(memory: WebAssembly.Memory): number {
  return memory.buffer.byteLength / WASM_PAGE_BYTES;
}
