/**
 * The key-value store on MongoDB: one collection, one document a value.
 *
 * Invariants: an operation settles within its time, whatever the driver or the server does; `_id` is a
 * string made here and compared by equality alone, so that no key is ever an operator; "nothing was written"
 * is said only of a command that was not sent or that the server refused; no message holds a credential.
 *
 * @module
 */

import type { Collection, MongoClient } from "mongodb";
import { FIXED_LIMITS } from "../../contract/limits.ts";
import { HostError } from "../../errors/host-error.ts";
import type { KeyAddress, KeyValueStore, OperationOptions } from "../store.ts";
import { createMongoClient, type MongoTarget } from "./mongodb-client.ts";
import { documentId, entryCollection, type EntryDocument, findValue, upsertValue } from "./mongodb-commands.ts";
import { Dispatch } from "./mongodb-dispatch.ts";
import { classifyMongoError, isDuplicateKey, timedOut } from "./mongodb-errors.ts";

const DEFAULT_COLLECTION = "key-value";

/** Saying good-bye to a server that does not answer ends after this; the sockets are closed by then. */
const CLOSE_TIMEOUT_MS = 2_000;

/** Options of {@link openMongoStore}. */
export interface MongoStoreOptions {
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
  return new MongoStore(target, options.collection ?? DEFAULT_COLLECTION);
}

type Command<T> = (dispatch: Dispatch, timeoutMs: number) => Promise<T>;

class MongoStore implements KeyValueStore {
  readonly kind = "mongodb";
  readonly #client: MongoClient;
  readonly #collection: Collection<EntryDocument>;
  readonly #redact: (text: string) => string;
  readonly #inFlight = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(target: MongoTarget, collection: string) {
    this.#client = target.client;
    this.#collection = entryCollection(target.client, target.database, collection);
    this.#redact = target.redact;
  }

  get(address: KeyAddress, options: OperationOptions): Promise<Uint8Array | undefined> {
    return this.#perform("read", address, options, (dispatch, timeoutMs) =>
      findValue(this.#collection, dispatch, timeoutMs),
    );
  }

  set(address: KeyAddress, value: Uint8Array, options: OperationOptions): Promise<void> {
    return this.#perform("write", address, options, async (dispatch, timeoutMs) => {
      const startedAt = performance.now();
      try {
        await upsertValue(this.#collection, dispatch, value, timeoutMs);
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        // Another writer inserted the key first. It exists now, so that this is an update and cannot lose again.
        const remainingMs = Math.max(1, Math.ceil(timeoutMs - (performance.now() - startedAt)));
        await upsertValue(this.#collection, dispatch, value, remainingMs);
      }
    });
  }

  async ping(options: OperationOptions): Promise<boolean> {
    if (this.#closing !== undefined) return false;
    const timeoutMs = boundedMs(options);
    // On the primary, since a replica set without one can neither read nor write.
    const answer = this.#client
      .db("admin")
      .command({ ping: 1, maxTimeMS: timeoutMs }, { readPreference: "primary" })
      .then(
        () => true,
        () => false,
      );
    return settleWithin(timeoutMs, answer, () => false);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // Each is bounded by its own time.
    await Promise.allSettled(this.#inFlight);
    const closed = this.#client.close().catch(() => {
      // Nothing is lost by a good-bye that fails: every operation has settled.
    });
    await settleWithin(CLOSE_TIMEOUT_MS, closed, () => undefined);
  }

  async #perform<T>(
    operation: "read" | "write",
    address: KeyAddress,
    options: OperationOptions,
    command: Command<T>,
  ): Promise<T> {
    if (this.#closing !== undefined) throw new HostError("store-unavailable", "the store is closed");
    const timeoutMs = boundedMs(options);
    const dispatch = new Dispatch(documentId(address));
    const running = settleWithin(timeoutMs, command(dispatch, timeoutMs), () => {
      dispatch.abandon();
      throw timedOut(timeoutMs, { operation, sends: dispatch.sends });
    });
    this.#inFlight.add(running);
    try {
      return await running;
    } catch (error) {
      throw classifyMongoError(error, { operation, sends: dispatch.sends }, this.#redact);
    } finally {
      this.#inFlight.delete(running);
    }
  }
}

function boundedMs({ timeoutMs }: OperationOptions): number {
  return Math.max(1, Math.min(Math.floor(timeoutMs), FIXED_LIMITS.storeOperationMs));
}

/** `promise`, or what `expire` gives once the time is over. What the promise does later is ignored. */
async function settleWithin<T>(timeoutMs: number, promise: Promise<T>, expire: () => T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<T>((resolve, reject) => {
    timer = setTimeout(() => {
      try {
        resolve(expire());
      } catch (error) {
        reject(error);
      }
    }, timeoutMs);
  });
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}
