/**
 * How far memories whose size is hidden are grown ahead of their guests. A memory cannot shrink: had it the size that
 * an earlier request made it grow to, an access beyond the guest's own size would tell the next request of it, as a
 * trap that does not come. So a memory has its reserve from the beginning, a request that outgrows it costs its
 * instance, and instances made from then on have a larger one.
 *
 * What is left of the channel: the reserve only ever grows, in {@link RESERVES} steps in the life of a process.
 *
 * @module
 */

/** In pages. The last is 4 MiB: comparing more would cost each later call more than a new instance. */
export const RESERVES: readonly number[] = [0, 1, 2, 4, 8, 16, 32, 64];

export class GrowthReserve {
  #pages = 0;
  /** Memories of one component begin with the same size and have the same bound: what one cannot have, none can. */
  #mostPages = Infinity;

  /** Grows a memory by the reserve, or by as much of it as the memory may grow. */
  addTo(memory: WebAssembly.Memory): void {
    while (this.#pages > 0 && !canGrow(memory, this.#pages)) {
      this.#pages -= 1;
      this.#mostPages = this.#pages;
    }
  }

  /** A guest needed so many pages more than it began with: from now on that much is there, unless it is too much. */
  fit(pages: number): void {
    const step = RESERVES.find((reserve) => reserve >= pages);
    if (step !== undefined) this.#pages = Math.min(this.#mostPages, Math.max(this.#pages, step));
  }
}

function canGrow(memory: WebAssembly.Memory, pages: number): boolean {
  try {
    memory.grow(pages);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
