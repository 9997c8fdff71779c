/**
 * The embedded key-value store: `node:sqlite` on a file, which several replicas on one machine may share, or
 * in memory. It is the default where no MongoDB is named.
 *
 * Invariants: a batch is one transaction, and where that fails each value gets one of its own, so a value is
 * written whole or not at all and one that is refused takes no other with it; an acknowledged write survives
 * the end of the process (of the machine only after the next checkpoint); a lock of another process is waited
 * for on a timer, so this thread is held for one batch and does other work before the next one.
 *
 * @module
 */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import { setImmediate as othersTurn } from "node:timers/promises";
import { HostError } from "../../errors/host-error.ts";
import type { BatchDriver, ReadEntry, WriteEntry } from "../batch-driver.ts";
import { createCoalescingStore, type StoreOptions } from "../coalescing-store.ts";
import { boundedMs } from "../operation.ts";
import type { KeyAddress, KeyValueStore, OperationOptions } from "../store.ts";
import { type DatabaseOptions, OPEN_TIMEOUT_MS, openDatabase } from "./sqlite-database.ts";
import { classifySqliteError, isLocked } from "./sqlite-errors.ts";
import { whileLocked } from "./sqlite-lock.ts";

/** Options of {@link openSqliteStore}. */
export interface SqliteStoreOptions extends DatabaseOptions, StoreOptions {}

/**
 * Opens the embedded store, creating its file (readable by its owner alone) where there is none.
 *
 * @throws HostError `usage-invalid` if the path cannot be used: no such folder, no permission, not a
 * database, another application's database or another schema version; `store-unavailable` if the file stays
 * locked by another process.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<KeyValueStore> {
  const database = await openDatabase(options);
  try {
    const driver = await whileLocked(OPEN_TIMEOUT_MS, () => new SqliteDriver(database));
    return createCoalescingStore(driver, options);
  } catch (error) {
    database.close();
    throw classifySqliteError(error, "read");
  }
}

class SqliteDriver implements BatchDriver {
  readonly kind = "sqlite";
  /** More could only wait for each other's lock. */
  readonly parallelBatches = 1;
  readonly #database: DatabaseSync;
  readonly #select: StatementSync;
  readonly #upsert: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#select = database.prepare(
      "SELECT value FROM entry WHERE kind = ? AND namespace = ? AND bucket = ? AND key = ?",
    );
    this.#upsert = database.prepare(
      "INSERT INTO entry (kind, namespace, bucket, key, value) VALUES (?, ?, ?, ?, ?) " +
        "ON CONFLICT (kind, namespace, bucket, key) DO UPDATE SET value = excluded.value",
    );
  }

  async readBatch(entries: readonly ReadEntry[], timeoutMs: number): Promise<void> {
    const read = (entry: ReadEntry): void => entry.succeed(this.#valueAt(entry.address));
    try {
      await whileLocked(timeoutMs, () => {
        const waited = entries.filter((entry) => entry.isWaitedFor);
        if (waited.length <= 1) return waited.forEach(read);
        this.#together("BEGIN", () => settleEach(waited, "read", read));
      });
    } catch (error) {
      for (const entry of entries) entry.fail(classifySqliteError(error, "read"));
    }
    await othersTurn();
  }

  async writeBatch(entries: readonly WriteEntry[], timeoutMs: number): Promise<void> {
    const write = ({ address, value }: WriteEntry): void => void this.#upsert.run(...columns(address), value);
    try {
      await whileLocked(timeoutMs, () => {
        const waited = entries.filter((entry) => entry.isWaitedFor);
        if (waited.length > 1 && this.#writeTogether(waited, write)) return;
        settleEach(waited, "write", (entry) => {
          write(entry);
          entry.succeed();
        });
      });
    } catch (error) {
      for (const entry of entries) entry.fail(classifySqliteError(error, "write"));
    }
    await othersTurn();
  }

  async ping(options: OperationOptions): Promise<boolean> {
    try {
      await whileLocked(boundedMs(options), () => this.#database.prepare("SELECT count(*) FROM sqlite_schema").get());
      return true;
    } catch {
      // The answer is the return value; whoever asks reports it.
      return false;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#database.close();
  }

  #valueAt(address: KeyAddress): Uint8Array | undefined {
    const row = this.#select.get(...columns(address));
    if (row === undefined) return undefined;
    const value = row["value"];
    if (!(value instanceof Uint8Array)) throw new HostError("store-unavailable", "a value in the database is no BLOB");
    return value;
  }

  /**
   * Writes all in one transaction and acknowledges them when it is committed. Answers false if nothing was
   * written because one of them cannot be: then each has to be tried by itself.
   */
  #writeTogether(entries: readonly WriteEntry[], write: (entry: WriteEntry) => void): boolean {
    try {
      this.#together("BEGIN IMMEDIATE", () => entries.forEach(write));
    } catch (error) {
      if (isLocked(error) || classifySqliteError(error, "write").code !== "store-unavailable") throw error;
      return false;
    }
    for (const entry of entries) entry.succeed();
    return true;
  }

  /** Runs statements as one transaction: all of them have happened when it returns, none if it throws. */
  #together(begin: "BEGIN" | "BEGIN IMMEDIATE", statements: () => void): void {
    this.#database.exec(begin);
    try {
      statements();
      this.#database.exec("COMMIT");
    } catch (error) {
      // SQLite ends a transaction by itself on some errors.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}

/** Performs each by itself. Another process's lock ends it, with what is left still waited for. */
function settleEach<E extends ReadEntry | WriteEntry>(
  entries: readonly E[],
  kind: "read" | "write",
  perform: (entry: E) => void,
): void {
  for (const entry of entries) {
    try {
      perform(entry);
    } catch (error) {
      if (isLocked(error)) throw error;
      entry.fail(classifySqliteError(error, kind));
    }
  }
}

type Columns = [kind: string, namespace: string, bucket: string, key: Uint8Array];

function columns({ namespace, bucket, key }: KeyAddress): Columns {
  const name = namespace.kind === "private" ? namespace.plugin : namespace.name;
  return [namespace.kind, name, bucket, Buffer.from(key, "utf8")];
}
