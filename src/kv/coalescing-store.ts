/**
 * The key-value store over a driver. It merges what many requests ask for at the same moment into one query or one write; each
 * request keeps its own result, error and time.
 *
 * Invariants: an operation settles within its time, whatever the driver does; one that begins after another
 * has ended sees it, since only operations for which nothing was sent yet are merged; one caller's flood
 * neither starves nor refuses another's operations.
 *
 * @module
 */

import { FIXED_LIMITS } from "../contract/limits.ts";
import { HostError } from "../errors/host-error.ts";
import { DeadlineTimer } from "../scheduling/deadline-timer.ts";
import type { BatchDriver } from "./batch-driver.ts";
import { type BatchPace, BatchQueue, type EndedBatch } from "./batch-queue.ts";
import type { BatchLimits } from "./fair-queue.ts";
import type { OperationKind } from "./operation.ts";
import type { KeyAddress, KeyValueStore, OperationOptions, StoreTrouble } from "./store.ts";

/** Bounds of a store's batches. */
export type StoreLimits = BatchLimits & BatchPace;

const LIMITS: StoreLimits = {
  batchOperations: FIXED_LIMITS.storeBatchOperations,
  batchBytes: FIXED_LIMITS.storeBatchBytes,
  batchWaitMs: FIXED_LIMITS.storeBatchWaitMs,
  queueOperations: FIXED_LIMITS.storeQueueOperations,
  queueBytes: FIXED_LIMITS.storeQueueBytes,
  queueTotalBytes: FIXED_LIMITS.storeQueueTotalBytes,
};

/** Options of every store. */
export interface StoreOptions {
  /** Other bounds of batches than those of contract/limits.ts. */
  readonly limits?: Partial<StoreLimits>;
  /** Called for each batch that has ended, for the metrics; must not throw. */
  readonly onBatch?: (kind: OperationKind, batch: EndedBatch) => void;
}

/** Makes the store over a driver, which it owns. */
export function createCoalescingStore(driver: BatchDriver, options: StoreOptions = {}): KeyValueStore {
  const { limits, onBatch = () => undefined } = options;
  return new CoalescingStore(driver, { ...LIMITS, ...limits }, onBatch);
}

class CoalescingStore implements KeyValueStore {
  readonly kind: string;
  readonly #driver: BatchDriver;
  readonly #reads: BatchQueue<Uint8Array | undefined>;
  readonly #writes: BatchQueue<void>;
  #closing: Promise<void> | undefined;

  constructor(driver: BatchDriver, limits: StoreLimits, onBatch: NonNullable<StoreOptions["onBatch"]>) {
    const { parallelBatches } = driver;
    const timer = new DeadlineTimer();
    this.kind = driver.kind;
    this.#driver = driver;
    this.#reads = new BatchQueue({
      limits,
      parallelBatches,
      timer,
      perform: (entries, timeoutMs) => driver.readBatch(entries, timeoutMs),
      onBatch: (batch) => onBatch("read", batch),
    });
    this.#writes = new BatchQueue({
      limits,
      parallelBatches,
      timer,
      perform: (entries, timeoutMs) => driver.writeBatch(entries, timeoutMs),
      onBatch: (batch) => onBatch("write", batch),
    });
  }

  get(address: KeyAddress, options: OperationOptions): Promise<Uint8Array | undefined> {
    if (this.#closing !== undefined) return Promise.reject(closed());
    return this.#reads.submit({ kind: "read", address, options });
  }

  set(address: KeyAddress, value: Uint8Array, options: OperationOptions): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(closed());
    return this.#writes.submit({ kind: "write", address, value, options });
  }

  async ping(options: OperationOptions): Promise<void> {
    if (this.#closing !== undefined) throw closed();
    await this.#driver.ping(options);
  }

  trouble(): StoreTrouble | undefined {
    return this.#driver.trouble?.();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all([this.#reads.settled(), this.#writes.settled()]);
    await this.#driver[Symbol.asyncDispose]();
  }
}

function closed(): HostError {
  return new HostError("store-unavailable", "the store is closed");
}
