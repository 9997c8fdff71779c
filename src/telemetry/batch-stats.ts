/**
 * Counts the batches that go to the key-value store: how many operations share a command, and how large the commands
 * are.
 *
 * @module
 */

import { Histogram } from "./histogram.ts";

/** Upper bounds of the buckets of operations in one batch. */
export const BATCH_OPERATIONS: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/** Upper bounds of the buckets of bytes in one batch. */
export const BATCH_BYTES: readonly number[] = [
  256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216,
];

interface BatchSizes {
  readonly operations: Histogram;
  readonly bytes: Histogram;
}

export class BatchStats {
  readonly #sizes: Readonly<Record<"get" | "set", BatchSizes>> = { get: emptySizes(), set: emptySizes() };

  /** A batch has ended. */
  count(operation: "get" | "set", batch: { readonly operations: number; readonly bytes: number }): void {
    this.#sizes[operation].operations.observe(batch.operations);
    this.#sizes[operation].bytes.observe(batch.bytes);
  }

  get sizes(): Readonly<Record<"get" | "set", BatchSizes>> {
    return this.#sizes;
  }
}

function emptySizes(): BatchSizes {
  return { operations: new Histogram(BATCH_OPERATIONS), bytes: new Histogram(BATCH_BYTES) };
}
