/**
 * A linear memory cut into blocks that are compared and copied as a whole. Comparing is much cheaper than
 * copying, and a call changes few blocks.
 *
 * @module
 */

/** Measured on guests of 64 KiB to 13 MiB: smaller blocks cost more calls, larger ones copy more. */
const BLOCK_BYTES = 16 * 1024;

const ZEROES = Buffer.alloc(BLOCK_BYTES);

/** A copy of a memory's content, block by block. */
export type SavedBlocks = readonly Buffer[];

/** Copies a memory; blocks of zeroes are all the same one. */
export function saveBlocks(memory: WebAssembly.Memory): SavedBlocks {
  return cut(memory.buffer.slice(0)).map((block) => (block.equals(ZEROES) ? ZEROES : block));
}

function cut(buffer: ArrayBuffer): Buffer[] {
  const blocks: Buffer[] = [];
  for (let from = 0; from < buffer.byteLength; from += BLOCK_BYTES) blocks.push(Buffer.from(buffer, from, BLOCK_BYTES));
  return blocks;
}

export class MemoryBlocks {
  readonly memory: WebAssembly.Memory;
  #blocks: readonly Buffer[] = [];
  #buffer: ArrayBuffer | undefined;

  constructor(memory: WebAssembly.Memory) {
    this.memory = memory;
  }

  /** Is the memory's content this, and nothing more? */
  equals(saved: SavedBlocks): boolean {
    const blocks = this.#current();
    return (
      blocks.length === saved.length && blocks.every((block, index) => block.compare(saved[index] as Buffer) === 0)
    );
  }

  /** Makes the content this again; what the memory has grown by becomes zero. */
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
