/**
 * How far the runner grows memories ahead of their guests, where the compiler hides their size. A memory cannot shrink. If
 * it kept the size that an earlier request grew it to, the next request could see that: an access beyond the size that
 * the guest knows would not trap. So a memory has its reserve from the start. A request that outgrows the reserve costs its
 * instance, and instances made from then on have a larger reserve.
 *
 * What is left of this covert channel: the reserve only ever grows, in the steps of {@link RESERVES}, while a process lives.
 *
 * @module
 */

/** The reserves, in pages. The last is 4 MiB: comparing more would cost each later call more than a new instance. */
export const RESERVES: readonly number[] = [0, 1, 2, 4, 8, 16, 32, 64];

/** The reserve of all instances of one component. */
export class GrowthReserve {
  #pages = 0;
  /** Memories of one component begin with the same size and have the same bound: if one cannot grow so far, none can. */
  #mostPages = Infinity;

  /** Grows a memory by the reserve, or by as much of it as the memory may grow. */
  addTo(memory: WebAssembly.Memory): void {
    while (this.#pages > 0 && !canGrow(memory, this.#pages)) {
      this.#pages -= 1;
      this.#mostPages = this.#pages;
    }
  }

  /** A guest needed `pages` more pages than it began with: raises the reserve to a step that fits, if there is one. */
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
