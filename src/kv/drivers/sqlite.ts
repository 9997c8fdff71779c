/**
 * The embedded key-value store: `node:sqlite` on a file, which several replicas on one machine may share, or
 * in memory. It is the default where no MongoDB is named.
 *
 * Invariants: SQLite works in a thread of its own (`sqlite-worker.ts`), so neither a large value nor another process's
 * lock holds the host's; an acknowledged write survives the end of the process (of the machine only after the next
 * checkpoint); a thread that has ended is replaced by the next one who needs it, except where the values ended with it.
 *
 * @module
 */

import { FIXED_LIMITS } from "../../contract/limits.ts";
import { HostError, toHostError } from "../../errors/host-error.ts";
import type { BatchDriver, ReadEntry, WriteEntry } from "../batch-driver.ts";
import { answeredWithin } from "../answered-within.ts";
import { createCoalescingStore, type StoreOptions } from "../coalescing-store.ts";
import { boundedMs } from "../operation.ts";
import type { KeyValueStore, OperationOptions } from "../store.ts";
import { type DatabaseOptions, MEMORY_PATH } from "./sqlite-database.ts";
import { SqliteThread, type ThreadBatch, type ThreadOptions } from "./sqlite-thread.ts";

/** Options of {@link openSqliteStore}. */
export interface SqliteStoreOptions extends DatabaseOptions, StoreOptions {}

/** Starts a thread that holds the database. */
export type StartThread = (options: ThreadOptions) => Promise<SqliteThread>;

/**
 * Opens the embedded store, creating its file (readable by its owner alone) where there is none.
 *
 * @throws HostError `usage-invalid` if the path cannot be used: no such folder, no permission, not a
 * database, another application's database or another schema version; `store-unavailable` if the file stays
 * locked by another process.
 */
export async function openSqliteStore(
  options: SqliteStoreOptions,
  startThread: StartThread = (threadOptions) => SqliteThread.open(threadOptions),
): Promise<KeyValueStore> {
  const batchOperations = options.limits?.batchOperations ?? FIXED_LIMITS.storeBatchOperations;
  const start = (): Promise<SqliteThread> => startThread({ ...options, batchOperations });
  const first = await start();
  const driver = new SqliteDriver(first, options.path === MEMORY_PATH ? refuseRestart : start);
  return createCoalescingStore(driver, options);
}

/** Values that were kept in memory are gone: an empty store would say that they had never been set. */
function refuseRestart(): Promise<never> {
  return Promise.reject(new HostError("store-unavailable", "the database was in memory, and its thread has ended"));
}

/** Whatever is wrong with a file that could be opened before, nothing was read or written. */
function unavailable(error: unknown): HostError {
  return new HostError("store-unavailable", toHostError(error).message);
}

/** Gives batches to a thread. */
class SqliteDriver implements BatchDriver {
  readonly kind = "sqlite";
  /** More could only wait for each other in the one thread. */
  readonly parallelBatches = 1;
  readonly #restart: () => Promise<SqliteThread>;
  #thread: SqliteThread;
  #starting: Promise<SqliteThread> | undefined;
  #state: "open" | "closed" = "open";

  /** @param restart makes another thread where one has ended that was not asked to */
  constructor(thread: SqliteThread, restart: () => Promise<SqliteThread>) {
    this.#thread = thread;
    this.#restart = restart;
  }

  async readBatch(entries: readonly ReadEntry[], timeoutMs: number): Promise<void> {
    await this.#perform({ kind: "read", entries, timeoutMs, resultOf: (value) => value });
  }

  async writeBatch(entries: readonly WriteEntry[], timeoutMs: number): Promise<void> {
    await this.#perform({ kind: "write", entries, timeoutMs, resultOf: () => undefined });
  }

  async ping(options: OperationOptions): Promise<void> {
    const timeoutMs = boundedMs(options);
    const answer = this.#current().then((thread) => thread.ping(timeoutMs));
    await answeredWithin(
      timeoutMs,
      answer.catch((error: unknown) => {
        throw unavailable(error);
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#state = "closed";
    // A thread that could not be started need not be closed.
    await this.#starting?.catch(() => undefined);
    await this.#thread.close();
  }

  async #perform<Result>(batch: ThreadBatch<Result>): Promise<void> {
    try {
      const thread = this.#thread.hasEnded ? await this.#current() : this.#thread;
      await thread.perform(batch);
    } catch (error) {
      const failure = unavailable(error);
      for (const entry of batch.entries) entry.fail(failure);
    }
  }

  async #current(): Promise<SqliteThread> {
    if (!this.#thread.hasEnded) return this.#thread;
    if (this.#state === "closed") throw new HostError("store-unavailable", "the store is closed");
    this.#starting ??= this.#start();
    return this.#starting;
  }

  async #start(): Promise<SqliteThread> {
    try {
      this.#thread = await this.#restart();
      return this.#thread;
    } finally {
      this.#starting = undefined;
    }
  }
}
