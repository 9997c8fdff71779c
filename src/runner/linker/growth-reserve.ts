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

  /** Grows a memory by the reserve, or by as much of it as the memory may grow. */
  addTo(memory: WebAssembly.Memory): void {
    for (const pages of RESERVES.filter((step) => step > 0 && step <= this.#pages).toReversed()) {
      try {
        memory.grow(pages);
        return;
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      }
    }
  }

  /** A guest needed so many pages more than it began with: from now on that much is there, unless it is too much. */
  fit(pages: number): void {
    const step = RESERVES.find((reserve) => reserve >= pages);
    if (step !== undefined) this.#pages = Math.max(this.#pages, step);
  }
}
