/**
 * A guest's linear memory for lifting and lowering: views, which are made anew when the memory has grown, and the checks
 * that every pointer must pass before a read or write through it.
 *
 * @module
 */

import { createTrap } from "../guest/trap.ts";

export class LinearMemory {
  readonly memory: WebAssembly.Memory;
  bytes: Uint8Array;
  view: DataView;

  constructor(memory: WebAssembly.Memory) {
    this.memory = memory;
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
}
