/**
 * Collects the linear memories of instances that have served. V8 does not count what a memory grew by, so it
 * sees little garbage where gigabytes are held, and a fresh instance for every request makes them fast. The
 * runner counts instead and asks for a collection when enough has gathered.
 *
 * @module
 */

/** Garbage that may gather before a collection: it bounds the runner's memory beside its live instances. */
const MAX_GARBAGE_BYTES = 256 * 1024 * 1024;

/** V8's `gc`, present under `--expose-gc`. */
export type CollectGarbage = () => void;

export class MemoryReclaimer {
  readonly #collect: CollectGarbage;
  #garbageBytes = 0;
  #scheduled = false;

  constructor(collect: CollectGarbage) {
    this.#collect = collect;
  }

  /** An instance with so many bytes of memory has been let go. */
  note(bytes: number): void {
    this.#garbageBytes += bytes;
    if (this.#garbageBytes < MAX_GARBAGE_BYTES || this.#scheduled) return;
    this.#scheduled = true;
    // Not at once: what still runs on the instance's behalf is on the stack or in the queue of microtasks.
    setImmediate(() => {
      this.#scheduled = false;
      this.#garbageBytes = 0;
      this.#collect();
    });
  }
}
