/**
 * How many reads of values may be in flight for one runner. The size of a value is not known before it is read, and the
 * host holds all values that arrive. So the number follows the size of recent values: many small values at a time, few
 * large ones. The other reads wait their turn, in order; the bound on a plugin's requests bounds their number.
 *
 * @module
 */

import { WeightedSemaphore } from "../../../scheduling/weighted-semaphore.ts";
import type { KeyValueResult } from "../messages.ts";

/** How many reads may be in flight before the first value was read. */
const FIRST_READS = 16;
const MIN_READS = 2;
/** The least that a value counts for. */
const MIN_VALUE_BYTES = 4 * 1024;
/** The factor by which the expected size shrinks with each read: some hundred reads forget one large value. */
const FORGETTING = 0.98;

/** The reads of one runner. */
export class ReadWindow {
  readonly #maxBytes: number;
  readonly #places: WeightedSemaphore;
  #expectedBytes: number;

  /** `maxBytes` is the most bytes that all reads in flight together are expected to return. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#expectedBytes = maxBytes / FIRST_READS;
    this.#places = new WeightedSemaphore(this.#room());
  }

  /** Runs a read as soon as there is room. `read` must not reject. */
  async run(read: () => Promise<KeyValueResult>): Promise<KeyValueResult> {
    if (!this.#places.tryAcquire(1)) await new Promise<void>((admit) => this.#places.acquire({ weight: 1, admit }));
    const result = await read();
    this.#learn(result.kind === "value" ? result.value.length : 0);
    // Release the place only after the caller has got the result and counted its bytes.
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
