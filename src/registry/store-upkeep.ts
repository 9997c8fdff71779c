/**
 * What the store of components needs after transfers: records on the disk, and room. It is done once after a batch of transfers and
 * beside what follows them: a replica that starts with a hundred components must not list its store a hundred times, nor wait
 * for it.
 *
 * @module
 */

import { MIB } from "../contract/limit-row.ts";
import type { ComponentStore } from "./component-store.ts";

export interface StoreUpkeepOptions {
  readonly store: () => Promise<Pick<ComponentStore, "persist" | "prune">>;
  /** Bytes of all components in the store. */
  readonly maxBytes: number;
  /** It could not be done; the next batch tries again. */
  readonly failed: (error: unknown) => void;
  /** In place of the bytes of a batch; for tests. */
  readonly batchBytes?: number;
}

/** A batch that goes on is not waited for after this: the store is beyond its size by no more. */
const BATCH_BYTES = 256 * MIB;

export class StoreUpkeep implements AsyncDisposable {
  readonly #options: StoreUpkeepOptions;
  #transfers = 0;
  /** Of transfers since the last time. */
  #newBytes = 0;
  #isDue = false;
  #running: Promise<void> | undefined;

  constructor(options: StoreUpkeepOptions) {
    this.#options = options;
  }

  /** Does the work of a transfer; the upkeep comes when the last of those in progress has ended. */
  async after<Result>(bytes: number, transfer: () => Promise<Result>): Promise<Result> {
    this.#transfers += 1;
    try {
      const result = await transfer();
      this.#newBytes += bytes;
      this.#isDue = true;
      return result;
    } finally {
      this.#transfers -= 1;
      this.#start();
    }
  }

  /** Waits for what has begun, and for what that has left to do. */
  async [Symbol.asyncDispose](): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  #start(): void {
    const { batchBytes = BATCH_BYTES } = this.#options;
    if (!this.#isDue || (this.#transfers > 0 && this.#newBytes < batchBytes)) return;
    // One at a time: what ends meanwhile starts it again.
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      this.#start();
    });
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    this.#isDue = false;
    this.#newBytes = 0;
    try {
      const store = await this.#options.store();
      await store.persist();
      await store.prune(this.#options.maxBytes);
    } catch (error) {
      this.#options.failed(error);
    }
  }
}
