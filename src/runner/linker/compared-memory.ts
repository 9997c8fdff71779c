/**
 * A linear memory cut into blocks, each compared and copied as a whole. Comparing is much cheaper than copying, and a call
 * changes few blocks. For memories whose changes are not noted.
 *
 * @module
 */

import type { AttachedMemory, SavedMemory } from "./saved-memory.ts";

/** Measured on guests of 64 KiB to 13 MiB: smaller blocks cost more calls, larger ones copy more. */
const BLOCK_BYTES = 16 * 1024;

const ZEROES = Buffer.alloc(BLOCK_BYTES);

export class ComparedMemory implements SavedMemory {
  readonly byteLength: number;
  /** All blocks of zeroes share one buffer. */
  readonly #blocks: readonly Buffer[];

  constructor({ buffer }: WebAssembly.Memory) {
    this.byteLength = buffer.byteLength;
    this.#blocks = cut(buffer.slice(0)).map((block) => (block.equals(ZEROES) ? ZEROES : block));
  }

  attach(memory: WebAssembly.Memory): AttachedMemory {
    return new MemoryBlocks(memory, this.#blocks);
  }
}

function cut(buffer: ArrayBuffer): Buffer[] {
  const blocks: Buffer[] = [];
  for (let from = 0; from < buffer.byteLength; from += BLOCK_BYTES) blocks.push(Buffer.from(buffer, from, BLOCK_BYTES));
  return blocks;
}

/** The blocks of one memory, as it is now. */
class MemoryBlocks implements AttachedMemory {
  readonly memory: WebAssembly.Memory;
  readonly #saved: readonly Buffer[];
  #blocks: readonly Buffer[] = [];
  #buffer: ArrayBuffer | undefined;

  constructor(memory: WebAssembly.Memory, saved: readonly Buffer[]) {
    this.memory = memory;
    this.#saved = saved;
  }

  equals(): boolean {
    const blocks = this.#current();
    const saved = this.#saved;
    return (
      blocks.length === saved.length && blocks.every((block, index) => block.compare(saved[index] as Buffer) === 0)
    );
  }

  begin(): void {
    // Whatever changes is found by comparing.
  }

  restore(): void {
    const blocks = this.#current();
    for (let index = 0; index < blocks.length; index += 1) {
      const block = blocks[index] as Buffer;
      const before = this.#saved[index] ?? ZEROES;
      if (block.compare(before) !== 0) block.set(before);
    }
  }

  #current(): readonly Buffer[] {
    const { buffer } = this.memory;
    if (buffer !== this.#buffer) {
      this.#buffer = buffer;
      this.#blocks = cut(buffer);
    }
    return this.#blocks;
  }
}
