/**
 * The key-value store on MongoDB: one collection, one document a value.
 *
 * Invariants: `_id` is a string made here and compared by equality alone, so that no key is ever an operator;
 * "nothing was written" is said only of what was not sent or what the server refused; a statement that the
 * server does not account for is "perhaps written"; no message holds a credential.
 *
 * @module
 */

import { type Document, MongoWriteConcernError } from "mongodb";
import { FIXED_LIMITS } from "../../contract/limits.ts";
import { HostError } from "../../errors/host-error.ts";
import type { BatchDriver, ReadEntry, WriteEntry } from "../batch-driver.ts";
import { createCoalescingStore, type StoreLimits } from "../coalescing-store.ts";
import { boundedMs, type OperationKind } from "../operation.ts";
import type { KeyValueStore, OperationOptions } from "../store.ts";
import { createMongoClient, type MongoTarget } from "./mongodb-client.ts";
import { type FindReply, type FoundDocument, MongoCommands, statementsOf } from "./mongodb-commands.ts";
import { classifyMongoError, classifyStatement, DUPLICATE_KEY, isDuplicateKey } from "./mongodb-errors.ts";

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
  /** Other bounds of batches than those of contract/limits.ts. */
  readonly limits?: Partial<StoreLimits>;
}

/**
 * Opens the store. Does not wait for MongoDB: the first operation connects, and where that fails the next
 * one tries again. Ask `ping` whether it is there.
 *
 * @throws HostError `usage-invalid` for a URL that cannot be used.
 */
export async function openMongoStore(options: MongoStoreOptions): Promise<KeyValueStore> {
  const target = createMongoClient(options.url, options.database, FIXED_LIMITS.storeOperationMs);
  return createCoalescingStore(new MongoDriver(target, options.collection ?? DEFAULT_COLLECTION), options.limits);
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

/** Settles what was found, and what is known not to be there. Returns the others. */
function settleFound(entries: readonly ReadEntry[], { documents, extent }: FindReply): readonly ReadEntry[] {
  const missing = new Map(entries.map((entry) => [entry.id, entry]));
  for (const document of documents) {
    const id = entries.length === 1 ? entries[0]?.id : document._id;
    const entry = missing.get(String(id));
    if (entry === undefined) continue;
    missing.delete(entry.id);
    settleDocument(entry, document);
  }
  if (extent === "part" && missing.size < entries.length) return [...missing.values()];
  for (const entry of missing.values()) {
    if (extent === "all") entry.succeed(undefined);
    else entry.fail(new HostError("store-unavailable", "MongoDB's answer to a read has no documents"));
  }
  return [];
}

function settleDocument(entry: ReadEntry, { value }: FoundDocument): void {
  if (value instanceof Uint8Array) entry.succeed(value);
  else entry.fail(new HostError("store-unavailable", "a document's value is no binary data"));
}

/** Settles each statement by what the server says of it. Returns those that lost a race of upserts. */
function settleWritten(
  sent: readonly WriteEntry[],
  reply: Document,
  durability: "acknowledged" | "unacknowledged",
): readonly WriteEntry[] {
  const failed = failedStatements(reply);
  const isComplete = Number(reply["n"]) + failed.size === sent.length;
  const lost: WriteEntry[] = [];
  for (const [index, entry] of sent.entries()) {
    if (failed.get(index) === DUPLICATE_KEY) lost.push(entry);
    else if (failed.has(index)) failStatement(entry, failed.get(index));
    else if (durability === "acknowledged" && isComplete) entry.succeed();
    else entry.fail(new HostError("store-outcome-unknown", `MongoDB write failed: ${durability}, not accounted for`));
  }
  return lost;
}

/** Index → code of the server's errors about single statements. */
function failedStatements(reply: Document): ReadonlyMap<number, unknown> {
  const errors: unknown = reply["writeErrors"];
  if (!Array.isArray(errors)) return new Map();
  return new Map(errors.map((error: Document) => [Number(error["index"]), error["code"]]));
}

function failStatement(entry: WriteEntry, code: unknown): void {
  entry.fail(classifyStatement(code, { operation: "write", sends: entry.sends }));
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
