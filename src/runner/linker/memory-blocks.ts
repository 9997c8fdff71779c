/**
 * A linear memory cut into blocks, each compared and copied as a whole. Comparing is much cheaper than copying, and a call
 * changes few blocks.
 *
 * @module
 */

/** Measured on guests of 64 KiB to 13 MiB: smaller blocks cost more calls, larger ones copy more. */
const BLOCK_BYTES = 16 * 1024;

const ZEROES = Buffer.alloc(BLOCK_BYTES);

/** A copy of a memory's content, block by block. */
export type SavedBlocks = readonly Buffer[];

/** Copies a memory. All blocks of zeroes share one buffer. */
export function saveBlocks(memory: WebAssembly.Memory): SavedBlocks {
  return cut(memory.buffer.slice(0)).map((block) => (block.equals(ZEROES) ? ZEROES : block));
}

function cut(buffer: ArrayBuffer): Buffer[] {
  const blocks: Buffer[] = [];
  for (let from = 0; from < buffer.byteLength; from += BLOCK_BYTES) blocks.push(Buffer.from(buffer, from, BLOCK_BYTES));
  return blocks;
}

/** The blocks of one memory, as it is now. */
export class MemoryBlocks {
  readonly memory: WebAssembly.Memory;
  #blocks: readonly Buffer[] = [];
  #buffer: ArrayBuffer | undefined;

  constructor(memory: WebAssembly.Memory) {
    this.memory = memory;
  }

  /** Is the memory exactly this content, with nothing after it? */
  equals(saved: SavedBlocks): boolean {
    const blocks = this.#current();
    return (
      blocks.length === saved.length && blocks.every((block, index) => block.compare(saved[index] as Buffer) === 0)
    );
  }

  /** Restores the content; pages that the memory has grown by become zero. */
  restore(saved: SavedBlocks): void {
    const blocks = this.#current();
    for (let index = 0; index < blocks.length; index += 1) {
      const block = blocks[index] as Buffer;
      const before = saved[index] ?? ZEROES;
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
