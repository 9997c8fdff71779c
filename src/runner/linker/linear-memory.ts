/**
 * A guest's linear memory for lifting and lowering: views, which are made anew when the memory has grown, and the checks
 * that every pointer must pass before a read or write through it.
 *
 * @module
 */

import { createTrap } from "../guest/trap.ts";
import type { ChangeMap } from "./change-map.ts";

export class LinearMemory {
  readonly memory: WebAssembly.Memory;
  bytes: Uint8Array;
  view: DataView;
  readonly #changes: ChangeMap | undefined;

  /** @param changes where the memory's changes are noted */
  constructor(memory: WebAssembly.Memory, changes: ChangeMap | undefined) {
    this.memory = memory;
    this.#changes = changes;
    this.bytes = new Uint8Array(memory.buffer);
    this.view = new DataView(memory.buffer);
  }

  /** Call it whenever guest code has run: growing a memory detaches the buffer of the views. */
  refresh(): void {
    if (this.bytes.length !== 0) return;
    this.bytes = new Uint8Array(this.memory.buffer);
    this.view = new DataView(this.memory.buffer);
  }

  /** Traps unless `length` bytes at `pointer` are within the memory, and the pointer is aligned. */
  check(pointer: number, length: number, align: number): void {
    if (pointer % align !== 0) throw createTrap("a pointer is not aligned");
    if (pointer + length > this.bytes.length) throw createTrap("a pointer is out of bounds");
  }

  /** The same for a range that the host is about to write to. Every write of the host is within one that passed this. */
  checkWrite(pointer: number, length: number, align: number): void {
    this.check(pointer, length, align);
    this.#changes?.note(pointer, length);
  }
}
