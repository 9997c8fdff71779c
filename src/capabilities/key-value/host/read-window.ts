/**
 * How many reads of values may be in flight for one runner. What a read will bring is not known before, and
 * all that is brought is held by the host; so the number follows the size of what came lately: many small
 * values at a time, few large ones. The others wait their turn, in order; how many they are is bounded by the
 * requests that a plugin may have.
 *
 * @module
 */

import { WeightedSemaphore } from "../../../scheduling/weighted-semaphore.ts";
import type { KeyValueResult } from "../messages.ts";

/** Before anything was read. */
const FIRST_READS = 16;
const MIN_READS = 2;
/** No value counts for less. */
const MIN_VALUE_BYTES = 4 * 1024;
/** One large value among many small ones is forgotten after some hundred reads. */
const FORGETTING = 0.98;

export class ReadWindow {
  readonly #maxBytes: number;
  readonly #places: WeightedSemaphore;
  #expectedBytes: number;

  /** `maxBytes` is what all reads in flight may bring together, as far as can be foreseen. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#expectedBytes = maxBytes / FIRST_READS;
    this.#places = new WeightedSemaphore(this.#room());
  }

  /** Runs a read as soon as there is room. `read` never rejects. */
  async run(read: () => Promise<KeyValueResult>): Promise<KeyValueResult> {
    if (!this.#places.tryAcquire(1)) await new Promise<void>((admit) => this.#places.acquire({ weight: 1, admit }));
    const result = await read();
    this.#learn(result.kind === "value" ? result.value.length : 0);
    // The result is passed on before the place is: whoever counts it has done so by then.
    setImmediate(() => this.#places.release(1));
    return result;
  }

  #room(): number {
    return Math.max(MIN_READS, Math.floor(this.#maxBytes / this.#expectedBytes));
  }

  #learn(bytes: number): void {
    this.#expectedBytes = Math.max(bytes, MIN_VALUE_BYTES, this.#expectedBytes * FORGETTING);
    this.#places.resize(this.#room());
  }
}
