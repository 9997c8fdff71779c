/**
 * The commands that the store sends, as the server takes them: the driver's own functions for them cost
 * 10 to 40 % more of this process's time, and serialise a batch before there is a connection for it.
 *
 * Durability: a write is acknowledged by a majority; a read asks the primary for what a majority holds, so
 * that it sees every acknowledged write and none that a failover takes back.
 *
 * Retries are the driver's rules, https://github.com/mongodb/specifications (retryable reads, retryable
 * writes), as long as somebody waits, and of a write only where the server recognises it by session and number. All
 * numbered writes of a client must come from here, since sessions are shared and their numbers only grow.
 *
 * @module
 */

import { type ClientSession, type Db, type Document, Long } from "mongodb";
import { HostError } from "../../errors/host-error.ts";
import type { ReadEntry, WriteEntry } from "../batch-driver.ts";
import type { MongoConnection } from "./mongodb-connection.ts";
import { Dispatch } from "./mongodb-dispatch.ts";
import { isRetryableRead, isRetryableWrite } from "./mongodb-errors.ts";
import { retriedUntil } from "./mongodb-retries.ts";

/** A value that a server answered with. */
export interface FoundDocument {
  /** The id; of a single value it is not asked for. */
  readonly _id?: unknown;
  /** The document may have been written by somebody else. */
  readonly value?: unknown;
}

/** What a server found. */
export interface FindReply {
  readonly documents: readonly FoundDocument[];
  /** "part" where the rest did not fit into one reply: what is missing here is not known to be missing there. */
  readonly extent: "all" | "part";
}

/** What a server recognises a write by that it is sent again. */
interface NumberedWrite {
  readonly session: ClientSession;
  readonly txnNumber: Long;
}

/** Sends commands for values. */
export class MongoCommands {
  readonly #connection: MongoConnection;
  readonly #db: Db;
  readonly #collection: string;
  #writes = 0;

  constructor(connection: MongoConnection, database: string, collection: string) {
    this.#connection = connection;
    this.#db = connection.client.db(database);
    this.#collection = collection;
  }

  /** Asks the primary for an answer, since a replica set without one can neither read nor write. */
  async ping(deadline: number): Promise<void> {
    await this.#connection.connected();
    const admin = this.#connection.client.db("admin");
    await admin.command({ ping: 1, maxTimeMS: remainingMs(deadline) }, { readPreference: "primary" });
  }

  /** Reads values. The bytes are views into the server's answer, which nobody else holds. */
  async find(entries: readonly ReadEntry[], deadline: number): Promise<FindReply> {
    await this.#connection.connected();
    const single = entries.length === 1;
    const ids = new Dispatch(entries, (sent) => (single ? sent[0]?.id : { $in: sent.map(({ id }) => id) }));
    const attempt = (): Promise<Document> =>
      this.#db.command(
        {
          find: this.#collection,
          filter: { _id: ids },
          projection: single ? { _id: 0, value: 1 } : { value: 1 },
          limit: entries.length,
          batchSize: entries.length,
          readConcern: { level: "majority" },
          maxTimeMS: remainingMs(deadline),
        },
        // Ids of cursors are larger than a double holds.
        { readPreference: "primary", promoteBuffers: true, promoteLongs: false },
      );
    const reply = this.#connection.repeatsReads ? retriedUntil(deadline, isRetryableRead, attempt) : attempt();
    return this.#parseFind(await reply);
  }

  /**
   * Writes values whole, whether the key is new or not; which ones is told by `dispatch.sent`.
   *
   * @returns the server's reply: it acknowledges the whole command, and names statements that failed.
   */
  async update(dispatch: Dispatch<void>, deadline: number): Promise<Document> {
    // Whether the server recognises retries has to be known before the command is made.
    await this.#connection.connected();
    if (!this.#connection.recognisesRetries) return await this.#sendUpdate(dispatch, deadline);
    const session = this.#connection.client.startSession({ causalConsistency: false });
    try {
      this.#writes += 1;
      const numbered = { session, txnNumber: Long.fromNumber(this.#writes) };
      return await retriedUntil(deadline, isRetryableWrite, () => this.#sendUpdate(dispatch, deadline, numbered));
    } finally {
      await session.endSession();
    }
  }

  #sendUpdate(dispatch: Dispatch<void>, deadline: number, numbered?: NumberedWrite): Promise<Document> {
    const maxTimeMS = remainingMs(deadline);
    const command = {
      update: this.#collection,
      updates: dispatch,
      ordered: false,
      writeConcern: { w: "majority", j: true, wtimeout: maxTimeMS },
      maxTimeMS,
      ...(numbered !== undefined && { txnNumber: numbered.txnNumber }),
    };
    return this.#db.command(command, {
      ...(numbered !== undefined && { session: numbered.session }),
      readPreference: "primary",
    });
  }

  #parseFind(reply: Document): FindReply {
    const cursor = reply["cursor"] as { readonly id?: unknown; readonly firstBatch?: unknown } | undefined;
    const documents = cursor?.firstBatch;
    if (!Array.isArray(documents) || !Long.isLong(cursor?.id))
      throw new HostError("store-unavailable", "MongoDB's answer to a read has no documents");
    if (cursor.id.isZero()) return { documents, extent: "all" };
    this.#closeCursor(cursor.id);
    return { documents, extent: "part" };
  }

  /** What is left is asked for by a new command, as a cursor would hold this one's session. */
  #closeCursor(id: Long): void {
    this.#db.command({ killCursors: this.#collection, cursors: [id] }, { readPreference: "primary" }).catch(() => {
      // The server ends it by itself after ten minutes.
    });
  }
}

/** The statements of a write command. */
export function statementsOf(entries: readonly WriteEntry[]): Dispatch<void> {
  return new Dispatch(entries, (sent) =>
    sent.map((entry) => ({ q: { _id: entry.id }, u: { $set: { value: entry.value } }, upsert: true })),
  );
}

function remainingMs(deadline: number): number {
  return Math.max(1, Math.ceil(deadline - performance.now()));
}
