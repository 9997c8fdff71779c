/**
 * Collects the linear memories of instances that have served. V8 does not count the bytes that a memory grew by: it sees
 * little garbage where gigabytes are held, and a fresh instance for every request soon makes gigabytes. So the runner
 * counts, and asks for a collection when enough has gathered.
 *
 * @module
 */

/** Garbage that may gather before a collection: it bounds the runner's memory on top of its live instances. */
const MAX_GARBAGE_BYTES = 256 * 1024 * 1024;

/** V8's `gc`, present under `--expose-gc`. */
export type CollectGarbage = () => void;

/** Counts garbage, and asks for a collection when there is enough of it. */
export class MemoryReclaimer {
  readonly #collect: CollectGarbage;
  #garbageBytes = 0;
  #scheduled = false;

  constructor(collect: CollectGarbage) {
    this.#collect = collect;
  }

  /** An instance with `bytes` bytes of memory has been dropped. */
  note(bytes: number): void {
    this.#garbageBytes += bytes;
    if (this.#garbageBytes < MAX_GARBAGE_BYTES || this.#scheduled) return;
    this.#scheduled = true;
    // Not at once: code of the instance may still be on the stack or in the queue of microtasks.
    setImmediate(() => {
      this.#scheduled = false;
      this.#garbageBytes = 0;
      this.#collect();
    });
  }
}
