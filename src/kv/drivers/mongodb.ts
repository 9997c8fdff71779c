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
import { createCoalescingStore, type StoreOptions } from "../coalescing-store.ts";
import { boundedMs, type OperationKind } from "../operation.ts";
import type { KeyValueStore, OperationOptions } from "../store.ts";
import { createMongoClient, type MongoTarget } from "./mongodb-client.ts";
import { MongoCommands, statementsOf } from "./mongodb-commands.ts";
import { classifyMongoError, DUPLICATE_KEY, isDuplicateKey } from "./mongodb-errors.ts";
import { failStatement, settleFound, settleWritten } from "./mongodb-replies.ts";

const DEFAULT_COLLECTION = "key-value";

/** Saying good-bye to a server that does not answer ends after this; the sockets are closed by then. */
const CLOSE_TIMEOUT_MS = 2_000;

/** Options of {@link openMongoStore}. */
export interface MongoStoreOptions extends StoreOptions {
  /** `mongodb://` or `mongodb+srv://`; it may hold credentials, which appear in no message. */
  readonly url: string;
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
  const target = createMongoClient(options.url, options.database, FIXED_LIMITS.storeOperationMs);
  return createCoalescingStore(new MongoDriver(target, options.collection ?? DEFAULT_COLLECTION), options);
}

class MongoDriver implements BatchDriver {
  readonly kind = "mongodb";
  readonly parallelBatches = FIXED_LIMITS.storeBatches;
  readonly #target: MongoTarget;
  readonly #commands: MongoCommands;

  constructor(target: MongoTarget, collection: string) {
    this.#target = target;
    this.#commands = new MongoCommands(target, collection);
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

  async ping(options: OperationOptions): Promise<boolean> {
    const timeoutMs = boundedMs(options);
    // On the primary, since a replica set without one can neither read nor write.
    const answer = this.#target.client
      .db("admin")
      .command({ ping: 1, maxTimeMS: timeoutMs }, { readPreference: "primary" })
      .then(
        () => true,
        () => false,
      );
    return settleWithin(timeoutMs, answer, false);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = this.#target.client.close().catch(() => {
      // Nothing is lost by a good-bye that fails: every operation has settled.
    });
    await settleWithin(CLOSE_TIMEOUT_MS, closed, undefined);
  }

  /** Returns the entries that lost a race of upserts: nothing was written for them. The others are settled. */
  async #update(entries: readonly WriteEntry[], deadline: number): Promise<readonly WriteEntry[]> {
    const dispatch = statementsOf(entries);
    try {
      const reply = await this.#commands.update(dispatch, deadline);
      return settleWritten(dispatch.sent, reply, "acknowledged");
    } catch (error) {
      if (error instanceof MongoWriteConcernError) return settleWritten(dispatch.sent, error.result, "unacknowledged");
      if (isDuplicateKey(error)) return dispatch.sent;
      for (const entry of entries) entry.fail(this.#classify(error, "write", entry));
      return [];
    }
  }

  #classify(error: unknown, operation: OperationKind, { sends }: ReadEntry | WriteEntry): HostError {
    return classifyMongoError(error, { operation, sends }, this.#target.redact);
  }
}

/** `promise`, or `otherwise` once the time is over. What the promise does later is ignored. */
async function settleWithin<T>(timeoutMs: number, promise: Promise<T>, otherwise: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), timeoutMs);
  });
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}
