/**
 * The commands that the store sends, and the document they are about. One operation is one command here;
 * whoever makes one command of many operations needs {@link documentId} and these two shapes only.
 *
 * @module
 */

import type { Collection, Filter, MongoClient } from "mongodb";
import { HostError } from "../../errors/host-error.ts";
import type { KeyAddress } from "../store.ts";
import type { Dispatch } from "./mongodb-dispatch.ts";

/** One value. */
export interface EntryDocument {
  readonly _id: string;
  readonly value: Uint8Array;
}

/**
 * The id of an address, different for different addresses: neither an encoded name nor an encoded bucket
 * holds a slash, and everything behind the third one is the key, as it is.
 */
export function documentId({ namespace, bucket, key }: KeyAddress): string {
  const name = namespace.kind === "private" ? namespace.plugin : namespace.name;
  return `${namespace.kind}/${encodeURIComponent(name)}/${encodeURIComponent(bucket)}/${key}`;
}

/**
 * The collection with the durability the port promises: a write is acknowledged by a majority; a read asks
 * the primary for what a majority holds, so that it sees every acknowledged write and none that a failover
 * takes back.
 */
export function entryCollection(client: MongoClient, database: string, collection: string): Collection<EntryDocument> {
  return client.db(database).collection<EntryDocument>(collection, {
    readPreference: "primary",
    readConcern: { level: "majority" },
    writeConcern: { w: "majority", journal: true },
  });
}

/** Reads one value. The result is a view into the server's answer, which nobody else holds. */
export async function findValue(
  collection: Collection<EntryDocument>,
  dispatch: Dispatch,
  maxTimeMs: number,
): Promise<Uint8Array | undefined> {
  const entry = await collection.findOne(byId(dispatch), { maxTimeMS: maxTimeMs, projection: { _id: 0, value: 1 } });
  if (entry === null) return undefined;
  // The document may have been written by somebody else.
  const value: unknown = entry.value;
  if (!(value instanceof Uint8Array)) throw new HostError("store-unavailable", "a document's value is no binary data");
  return value;
}

/** Writes one value whole, whether the key is new or not. */
export async function upsertValue(
  collection: Collection<EntryDocument>,
  dispatch: Dispatch,
  value: Uint8Array,
  maxTimeMs: number,
): Promise<void> {
  await collection.updateOne(
    byId(dispatch),
    { $set: { value } },
    {
      upsert: true,
      maxTimeMS: maxTimeMs,
      writeConcern: { w: "majority", journal: true, wtimeoutMS: maxTimeMs },
    },
  );
}

function byId(dispatch: Dispatch): Filter<EntryDocument> {
  return { _id: dispatch };
}
