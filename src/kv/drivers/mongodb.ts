/**
 * The key-value store on MongoDB: one collection, one document a value.
 *
 * Invariants: `_id` is a string made here and compared by equality alone, so that no key is ever an operator;
 * "nothing was written" is said only of what was not sent or what the server refused; no message holds a
 * credential.
 *
 * @module
 */

import { MongoWriteConcernError } from "mongodb";
import { FIXED_LIMITS } from "../../contract/limits.ts";
import { HostError } from "../../errors/host-error.ts";
import type { BatchDriver, ReadEntry, WriteEntry } from "../batch-driver.ts";
import { answeredWithin } from "../answered-within.ts";
import { createCoalescingStore, type StoreOptions } from "../coalescing-store.ts";
import { boundedMs, type OperationKind } from "../operation.ts";
import type { KeyValueStore, OperationOptions, StoreTrouble } from "../store.ts";
import { createMongoClient } from "./mongodb-client.ts";
import { MongoConnection } from "./mongodb-connection.ts";
import { MongoCommands, statementsOf } from "./mongodb-commands.ts";
import {
  classifyMongoError,
  describeMongoError,
  DUPLICATE_KEY,
  type EntryFate,
  isDuplicateKey,
} from "./mongodb-errors.ts";
import { failStatement, settleFound, settleWritten } from "./mongodb-replies.ts";
import { readMongoUrl } from "./mongodb-url.ts";

export const DEFAULT_COLLECTION = "key-value";

/** Options of {@link openMongoStore}. */
export interface MongoStoreOptions extends StoreOptions {
  /** `mongodb://` or `mongodb+srv://`; it may hold credentials, which appear in no message. */
  readonly url: string;
  /** What messages call the URL: the flag or the variable that it came from. */
  readonly source?: string;
  /** By default the URL's, else `network-host`. */
  readonly database?: string;
  readonly collection?: string;
}

/**
 * Opens the store. Does not wait for MongoDB: the first operation connects, and where that fails the next
 * one tries again. Ask `ping` whether it is there.
 *
 * @throws HostError `usage-invalid` for a URL that cannot be used.
 */
export async function openMongoStore(options: MongoStoreOptions): Promise<KeyValueStore> {
  const { source = "the MongoDB URL", collection = DEFAULT_COLLECTION } = options;
  const url = await readMongoUrl(options.url, source, options.database);
  const client = createMongoClient(url, source, FIXED_LIMITS.storeOperationMs);
  const connection = new MongoConnection(client, url.secrets);
  return createCoalescingStore(new MongoDriver(connection, url.database, collection), options);
}

class MongoDriver implements BatchDriver {
  readonly kind = "mongodb";
  readonly parallelBatches = FIXED_LIMITS.storeBatches;
  readonly #connection: MongoConnection;
  readonly #commands: MongoCommands;

  constructor(connection: MongoConnection, database: string, collection: string) {
    this.#connection = connection;
    this.#commands = new MongoCommands(connection, database, collection);
  }

  async readBatch(entries: readonly ReadEntry[], timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    let wanted = entries;
    try {
      // Again where the values do not fit into one reply: at most 16 MB of them are held at a time.
      while (wanted.length > 0) wanted = settleFound(wanted, await this.#commands.find(wanted, deadline));
    } catch (error) {
      for (const entry of wanted) entry.fail(this.#classify(error, "read", entry));
    }
  }

  async writeBatch(entries: readonly WriteEntry[], timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    const lost = await this.#update(entries, deadline);
    if (lost.length === 0) return;
    // Another writer inserted these keys first. They exist now, so that these are updates and cannot lose again.
    for (const entry of await this.#update(lost, deadline)) failStatement(entry, DUPLICATE_KEY);
  }

  async ping(options: OperationOptions): Promise<void> {
    const timeoutMs = boundedMs(options);
    const answer = this.#commands.ping(performance.now() + timeoutMs).catch((error: unknown) => {
      throw this.#classify(error, "read", NOT_SENT);
    });
    await answeredWithin(timeoutMs, answer);
  }

  trouble(): StoreTrouble | undefined {
    return this.#connection.trouble();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
  }

  /** Returns the entries that lost a race of upserts: nothing was written for them. The others are settled. */
  async #update(entries: readonly WriteEntry[], deadline: number): Promise<readonly WriteEntry[]> {
    const dispatch = statementsOf(entries);
    try {
      const reply = await this.#commands.update(dispatch, deadline);
      return settleWritten(dispatch.sent, reply);
    } catch (error) {
      if (error instanceof MongoWriteConcernError)
        return settleWritten(dispatch.sent, error.result, describeMongoError(error, this.#connection.redact));
      if (isDuplicateKey(error)) return dispatch.sent;
      for (const entry of entries) entry.fail(this.#classify(error, "write", entry));
      return [];
    }
  }

  #classify(error: unknown, operation: OperationKind, { sends }: Pick<EntryFate, "sends">): HostError {
    return classifyMongoError(error, { operation, sends }, this.#connection.redact);
  }
}

/** A ping changes nothing: it is the same whether it was sent. */
const NOT_SENT = { sends: 0 };
