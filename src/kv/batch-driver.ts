/**
 * The port of the drivers: batches of values, each read or written once. `coalescing-store.ts` makes
 * batches from single operations.
 *
 * @module
 */

import type { Entry } from "./entry.ts";
import type { OperationOptions, StoreTrouble } from "./store.ts";

/** A value to read. */
export type ReadEntry = Entry<Uint8Array | undefined>;
/** A value to write. */
export type WriteEntry = Entry<void>;

/**
 * Performs batches. No two entries of a batch have the same address. An entry has its own result or its own
 * error, of those that `KeyValueStore` names, whatever happens to the others.
 *
 * `readBatch` and `writeBatch` settle every entry and never reject; they end when nothing of the batch is
 * in flight any more, which may be long after the last waiter gave up. `timeoutMs` is the time of the
 * longest waiter: shorter ones end by themselves. An entry that nobody waits for is not
 * begun, and `Entry.send` is called at the last moment before it leaves for a server.
 */
export interface BatchDriver extends AsyncDisposable {
  /** See `KeyValueStore.kind`. */
  readonly kind: string;
  /** How many batches of reads, and how many of writes, it is given at a time. */
  readonly parallelBatches: number;
  readBatch(entries: readonly ReadEntry[], timeoutMs: number): Promise<void>;
  writeBatch(entries: readonly WriteEntry[], timeoutMs: number): Promise<void>;
  /** See `KeyValueStore.ping`. */
  ping(options: OperationOptions): Promise<void>;
  /** See `KeyValueStore.trouble`: of a driver with servers. */
  trouble?(): StoreTrouble | undefined;
}
