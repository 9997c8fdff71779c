/**
 * The data of a MongoDB collection, on a client of its own. Addresses are in the `_id`: all that are of a namespace have the
 * same beginning, and are found by it without another index.
 *
 * @module
 */

import { Binary, type Collection, type Filter } from "mongodb";
import { FIXED_LIMITS } from "../../contract/limits.ts";
import { HostError } from "../../errors/host-error.ts";
import { answeredWithin } from "../answered-within.ts";
import { type BucketSize, type DataEntry, HOST_NAMESPACE, type StoreData } from "../data.ts";
import type { Namespace } from "../store.ts";
import type { OperationKind } from "../operation.ts";
import { createMongoClient } from "./mongodb-client.ts";
import { MongoConnection } from "./mongodb-connection.ts";
import { classifyMongoError } from "./mongodb-errors.ts";
import { readMongoUrl } from "./mongodb-url.ts";
import { DEFAULT_COLLECTION } from "./mongodb.ts";

/** Values of a reply, which has 16 MB at most. */
const BATCH_ENTRIES = 100;

/** Keys of one command that removes. */
const REMOVED_AT_A_TIME = 1_000;

/** To count a collection takes as long as to read it. */
const COMMAND_TIMEOUT_MS = 600_000;

interface ValueDocument {
  readonly _id: string;
  readonly value?: unknown;
}

/** Opens the data that a store of the same URL has. Throws `usage-invalid` for a URL that cannot be used. */
export async function openMongoData(text: string, source: string): Promise<StoreData> {
  const url = await readMongoUrl(text, source, undefined);
  const client = createMongoClient(url, source, COMMAND_TIMEOUT_MS);
  const connection = new MongoConnection(client, url.secrets);
  return new MongoData(connection, client.db(url.database).collection<ValueDocument>(DEFAULT_COLLECTION));
}

class MongoData implements StoreData {
  readonly #connection: MongoConnection;
  readonly #collection: Collection<ValueDocument>;

  constructor(connection: MongoConnection, collection: Collection<ValueDocument>) {
    this.#connection = connection;
    this.#collection = collection;
  }

  sizes(namespace?: Namespace): Promise<BucketSize[]> {
    const wanted =
      namespace === undefined
        ? { $not: new RegExp(`^private/${HOST_NAMESPACE.replaceAll(/[()]/g, String.raw`\$&`)}/`) }
        : idsOf(namespace);
    const parts = { $split: ["$_id", "/"] };
    return this.#attempt("read", async () => {
      const found = this.#collection.aggregate(
        [
          { $match: { _id: wanted } },
          {
            $group: {
              _id: { $slice: [parts, 3] },
              keys: { $sum: 1 },
              bytes: { $sum: { $cond: [{ $eq: [{ $type: "$value" }, "binData"] }, { $binarySize: "$value" }, 0] } },
            },
          },
          { $sort: { _id: 1 } },
        ],
        { readConcern: { level: "majority" } },
      );
      return (await found.toArray()).map(({ _id, keys, bytes }) => {
        const [kind = "", name = "", bucket = ""] = _id as string[];
        return {
          namespace: namespaceOf(kind, decodeURIComponent(name)),
          bucket: decodeURIComponent(bucket),
          keys: Number(keys),
          bytes: Number(bytes),
        };
      });
    });
  }

  async *entries(namespace: Namespace): AsyncIterable<DataEntry> {
    const filter: Filter<ValueDocument> = { _id: idsOf(namespace) };
    const found = this.#collection
      .find(filter, { readConcern: { level: "majority" }, batchSize: BATCH_ENTRIES })
      .sort({ _id: 1 });
    try {
      for (;;) {
        const document = await this.#attempt("read", () => found.next());
        if (document === null) return;
        const [, , bucket = "", ...key] = document._id.split("/");
        const { value } = document;
        const bytes = value instanceof Binary ? value.value() : value;
        // What is not a value of ours is nobody's: a plugin is told of it as of a store that does not work.
        if (!(bytes instanceof Uint8Array)) continue;
        yield { bucket: decodeURIComponent(bucket), key: key.join("/"), value: bytes };
      }
    } finally {
      await found.close().catch(() => undefined);
    }
  }

  async remove(namespace: Namespace): Promise<number> {
    const filter: Filter<ValueDocument> = { _id: idsOf(namespace) };
    let removed = 0;
    for (;;) {
      const some = await this.#attempt("read", () =>
        this.#collection.find(filter, { projection: { _id: 1 }, limit: REMOVED_AT_A_TIME }).toArray(),
      );
      if (some.length === 0) return removed;
      const ids = some.map(({ _id }) => _id);
      removed += await this.#attempt("write", async () => {
        const done = await this.#collection.deleteMany(
          { _id: { $in: ids } },
          { writeConcern: { w: "majority", j: true } },
        );
        return done.deletedCount;
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
  }

  async #attempt<Result>(operation: OperationKind, work: () => Promise<Result>): Promise<Result> {
    let sends = 0;
    try {
      await answeredWithin(FIXED_LIMITS.storeOperationMs, this.#connection.connected());
      sends = 1;
      return await work();
    } catch (error) {
      if (error instanceof HostError)
        throw new HostError(error.code, this.#connection.trouble()?.reason ?? error.message);
      throw classifyMongoError(error, { operation, sends }, this.#connection.redact);
    }
  }
}

/** "0" comes next after "/". See `addressId`. */
function idsOf(namespace: Namespace): { readonly $gte: string; readonly $lt: string } {
  const name = namespace.kind === "private" ? namespace.plugin : namespace.name;
  const start = `${namespace.kind}/${encodeURIComponent(name)}`;
  return { $gte: `${start}/`, $lt: `${start}0` };
}

function namespaceOf(kind: string, name: string): Namespace {
  return kind === "private" ? { kind, plugin: name } : { kind: "shared", name };
}
