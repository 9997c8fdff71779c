/**
 * The embedded key-value store: `node:sqlite` on a file, which several replicas on one machine may share, or
 * in memory. It is the default where no MongoDB is named.
 *
 * Invariants: a statement is one transaction, so a value is written whole or not at all; an acknowledged
 * write survives the end of the process (of the machine only after the next checkpoint); a lock of another
 * process is waited for on a timer, so this thread is held for one statement at a time and no longer.
 *
 * @module
 */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import { HostError } from "../../errors/host-error.ts";
import type { KeyAddress, KeyValueStore, OperationOptions } from "../store.ts";
import { type DatabaseOptions, OPEN_TIMEOUT_MS, openDatabase } from "./sqlite-database.ts";
import { classifySqliteError, type OperationKind } from "./sqlite-errors.ts";
import { whileLocked } from "./sqlite-lock.ts";

/** Options of {@link openSqliteStore}. */
export type SqliteStoreOptions = DatabaseOptions;

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
    return await whileLocked(OPEN_TIMEOUT_MS, () => new SqliteStore(database));
  } catch (error) {
    database.close();
    throw classifySqliteError(error, "read");
  }
}

class SqliteStore implements KeyValueStore {
  readonly kind = "sqlite";
  readonly #database: DatabaseSync;
  readonly #select: StatementSync;
  readonly #upsert: StatementSync;
  #state: "open" | "closed" = "open";

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

  async get(address: KeyAddress, options: OperationOptions): Promise<Uint8Array | undefined> {
    const row = await this.#run("read", options, () => this.#select.get(...columns(address)));
    if (row === undefined) return undefined;
    const value = row["value"];
    if (!(value instanceof Uint8Array)) throw new HostError("store-unavailable", "a value in the database is no BLOB");
    return value;
  }

  async set(address: KeyAddress, value: Uint8Array, options: OperationOptions): Promise<void> {
    await this.#run("write", options, () => this.#upsert.run(...columns(address), value));
  }

  async ping(options: OperationOptions): Promise<boolean> {
    try {
      await this.#run("read", options, () => this.#database.prepare("SELECT count(*) FROM sqlite_schema").get());
      return true;
    } catch {
      // The answer is the return value; whoever asks reports it.
      return false;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === "closed") return;
    // Operations that wait for a lock see the state when they wake.
    this.#state = "closed";
    this.#database.close();
  }

  async #run<T>(operation: OperationKind, { timeoutMs }: OperationOptions, statement: () => T): Promise<T> {
    try {
      return await whileLocked(timeoutMs, () => {
        if (this.#state === "closed") throw new HostError("store-unavailable", "the store is closed");
        return statement();
      });
    } catch (error) {
      throw classifySqliteError(error, operation);
    }
  }
}

type Columns = [kind: string, namespace: string, bucket: string, key: Uint8Array];

function columns({ namespace, bucket, key }: KeyAddress): Columns {
  const name = namespace.kind === "private" ? namespace.plugin : namespace.name;
  return [namespace.kind, name, bucket, Buffer.from(key, "utf8")];
}
