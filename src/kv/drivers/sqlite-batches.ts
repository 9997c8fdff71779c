/**
 * Batches on an open database, in the thread that holds it.
 *
 * Invariants: a batch is one transaction, and where that fails each value gets one of its own, so a value is written
 * whole or not at all and one that is refused takes no other with it; a write is begun only when its transaction has
 * the lock, so that what waits for a lock can be taken back.
 *
 * @module
 */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import { HostError } from "../../errors/host-error.ts";
import type { OperationKind } from "../operation.ts";
import type { Claims } from "./sqlite-claims.ts";
import { classifySqliteError, isLocked } from "./sqlite-errors.ts";
import type { DatabaseFile } from "./sqlite-file.ts";
import { whileLocked } from "./sqlite-lock.ts";
import { type BatchRequest, unpack } from "./sqlite-messages.ts";
import { BatchResults, type Columns, type SendReply } from "./sqlite-results.ts";

/** Performs batches. */
export class SqliteBatches {
  readonly #database: DatabaseSync;
  readonly #claims: Claims;
  readonly #file: DatabaseFile | undefined;
  readonly #select: StatementSync;
  readonly #upsert: StatementSync;
  readonly #begin: Record<OperationKind, StatementSync>;
  readonly #commit: StatementSync;

  /**
   * @param file where the database is, unless it is in memory
   * @throws what SQLite throws if the table is not as it should be, or locked
   */
  constructor(database: DatabaseSync, claims: Claims, file?: DatabaseFile) {
    this.#database = database;
    this.#claims = claims;
    this.#file = file;
    this.#select = database.prepare(
      "SELECT value FROM entry WHERE kind = ? AND namespace = ? AND bucket = ? AND key = ?",
    );
    this.#upsert = database.prepare(
      "INSERT INTO entry (kind, namespace, bucket, key, value) VALUES (?, ?, ?, ?, ?) " +
        "ON CONFLICT (kind, namespace, bucket, key) DO UPDATE SET value = excluded.value",
    );
    this.#begin = { read: database.prepare("BEGIN"), write: database.prepare("BEGIN IMMEDIATE") };
    this.#commit = database.prepare("COMMIT");
  }

  /** Gives each entry its result or its error, and at the end the last reply. Never rejects for what SQLite says. */
  async perform(batch: BatchRequest, send: SendReply): Promise<void> {
    const { kind, timeoutMs } = batch;
    const results = new BatchResults(batch, send);
    const values = kind === "write" && batch.values !== undefined ? unpack(batch.values) : [];
    try {
      this.#requireFile();
      await whileLocked(timeoutMs, () => (kind === "read" ? this.#read(results) : this.#write(results, values)));
    } catch (error) {
      while (results.next < results.count) results.fail(classifySqliteError(error, kind));
    }
    results.send("last");
  }

  /** Why the database cannot be read, if it cannot. */
  async flaw(timeoutMs: number): Promise<HostError | undefined> {
    try {
      this.#requireFile();
      await whileLocked(timeoutMs, () => this.#database.prepare("SELECT count(*) FROM sqlite_schema").get());
      return undefined;
    } catch (error) {
      return classifySqliteError(error, "read");
    }
  }

  #requireFile(): void {
    const flaw = this.#file?.flaw;
    if (flaw !== undefined) throw flaw;
  }

  /** Goes on where it met a lock. */
  #read(results: BatchResults): void {
    if (results.count === 1) return this.#readEach(results);
    this.#together("read", () => this.#readEach(results));
  }

  #readEach(results: BatchResults): void {
    while (results.next < results.count) {
      const entry = results.next;
      if (!this.#claims.begin("read", entry)) {
        results.succeed(undefined);
        continue;
      }
      try {
        results.succeed(this.#valueAt(results.columns));
      } catch (error) {
        if (isLocked(error)) {
          this.#claims.release("read", entry);
          throw error;
        }
        results.fail(classifySqliteError(error, "read"));
      }
    }
  }

  #valueAt(columns: Columns): Uint8Array | undefined {
    const row = this.#select.get(...columns);
    if (row === undefined) return undefined;
    const value = row["value"];
    if (!(value instanceof Uint8Array))
      throw new HostError("store-unavailable", "a value in the database is not a BLOB");
    return value;
  }

  /** Goes on where it met a lock. */
  #write(results: BatchResults, values: readonly (Uint8Array | undefined)[]): void {
    if (results.next === 0 && this.#writeFrom(results, values, results.count) === "done") return;
    while (results.next < results.count) {
      const outcome = this.#writeFrom(results, values, results.next + 1);
      if (outcome !== "done") results.fail(outcome);
    }
  }

  /**
   * Writes all up to `end` in one transaction, and acknowledges them when it is committed. Answers with an error if
   * nothing was written because one of them cannot be: then each has to be tried by itself.
   */
  #writeFrom(results: BatchResults, values: readonly (Uint8Array | undefined)[], end: number): "done" | HostError {
    const entries = Array.from({ length: end - results.next }, (_, index) => results.next + index);
    let begun: number[] = [];
    // Looked at before the lock is waited for, and again, by claiming them, when it is held.
    if (!entries.every((entry) => this.#claims.isRecalled("write", entry))) {
      try {
        this.#together("write", () => {
          begun = entries.filter((entry) => this.#claims.begin("write", entry));
          for (const entry of begun) this.#upsert.run(...results.columnsOf(entry), values[entry] as Uint8Array);
        });
      } catch (error) {
        const failure = classifySqliteError(error, "write");
        if (failure.code === "store-unavailable") for (const entry of begun) this.#claims.release("write", entry);
        if (isLocked(error) || failure.code !== "store-unavailable") throw error;
        return failure;
      }
    }
    while (results.next < end) results.succeed(undefined);
    return "done";
  }

  /** Runs statements as one transaction: all of them have happened when it returns, none if it throws. */
  #together(kind: OperationKind, statements: () => void): void {
    this.#begin[kind].run();
    try {
      statements();
      this.#commit.run();
    } catch (error) {
      // SQLite ends a transaction by itself on some errors.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}
