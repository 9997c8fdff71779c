/**
 * The data of an SQLite file. Works in the thread that asks: no replica's.
 *
 * @module
 */

import { existsSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { HostError } from "../../errors/host-error.ts";
import { type BucketSize, type DataEntry, HOST_NAMESPACE, type StoreData } from "../data.ts";
import type { OperationKind } from "../operation.ts";
import type { Namespace } from "../store.ts";
import { openDatabase } from "./sqlite-database.ts";
import { classifySqliteError } from "./sqlite-errors.ts";
import { whileLocked } from "./sqlite-lock.ts";

/** Of a removal, in one transaction: a replica waits for the lock no longer than that takes. */
const REMOVED_AT_A_TIME = 500;
const LOCK_TIMEOUT_MS = 30_000;

/**
 * Opens the data of an existing file.
 *
 * @throws HostError as `openDatabase` does, and `usage-invalid` where there is no file
 */
export async function openSqliteData(path: string): Promise<StoreData> {
  if (!existsSync(path)) throw new HostError("usage-invalid", `the database ${path} does not exist`);
  return new SqliteData(await openDatabase({ path }));
}

class SqliteData implements StoreData {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  async sizes(namespace?: Namespace): Promise<BucketSize[]> {
    const where = namespace === undefined ? "namespace <> ?" : "kind = ? AND namespace = ?";
    const query = this.#database.prepare(
      `SELECT kind, namespace, bucket, count(*) AS keys, sum(length(value)) AS bytes FROM entry WHERE ${where} GROUP BY kind, namespace, bucket ORDER BY kind, namespace, bucket`,
    );
    const rows = await attempt("read", () =>
      query.all(...(namespace === undefined ? [HOST_NAMESPACE] : columnsOf(namespace))),
    );
    return rows.map((row) => ({
      namespace: namespaceOf(String(row["kind"]), String(row["namespace"])),
      bucket: String(row["bucket"]),
      keys: Number(row["keys"]),
      bytes: Number(row["bytes"]),
    }));
  }

  /** All of one moment: what is written meanwhile is not among them. */
  async *entries(namespace: Namespace): AsyncIterable<DataEntry> {
    const query = this.#database.prepare(
      "SELECT bucket, key, value FROM entry WHERE kind = ? AND namespace = ? ORDER BY bucket, key",
    );
    const rows = query.iterate(...columnsOf(namespace));
    for (;;) {
      const { done, value: row } = await attempt("read", () => rows.next());
      if (done === true || row === undefined) return;
      const { bucket, key, value } = row as { bucket: string; key: Uint8Array; value: Uint8Array };
      yield { bucket, key: Buffer.from(key).toString("utf8"), value };
    }
  }

  async remove(namespace: Namespace): Promise<number> {
    const statement = this.#database.prepare(
      "DELETE FROM entry WHERE rowid IN (SELECT rowid FROM entry WHERE kind = ? AND namespace = ? LIMIT ?)",
    );
    let removed = 0;
    for (;;) {
      const { changes } = await attempt("write", () => statement.run(...columnsOf(namespace), REMOVED_AT_A_TIME));
      removed += Number(changes);
      if (Number(changes) < REMOVED_AT_A_TIME) return removed;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#database.close();
    return Promise.resolve();
  }
}

async function attempt<Result>(kind: OperationKind, work: () => Result): Promise<Result> {
  try {
    return await whileLocked(LOCK_TIMEOUT_MS, work);
  } catch (error) {
    throw classifySqliteError(error, kind);
  }
}

function columnsOf(namespace: Namespace): [kind: string, name: string] {
  return [namespace.kind, namespace.kind === "private" ? namespace.plugin : namespace.name];
}

function namespaceOf(kind: string, name: string): Namespace {
  return kind === "private" ? { kind, plugin: name } : { kind: "shared", name };
}
