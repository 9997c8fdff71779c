/**
 * The responders' key-value store: one document or row for a key, an operation for each request, as one would write it
 * by hand. Same durability and same size of the connection pool as the host's.
 *
 * @module
 */

import { DatabaseSync } from "node:sqlite";
import { Binary, MongoClient } from "mongodb";

export interface Store {
  get(key: string): Promise<Uint8Array | undefined>;
  set(key: string, value: Uint8Array): Promise<void>;
}

/** @param address a MongoDB URL or a file, which is made if it is not there */
export async function openStore(kind: string, address: string): Promise<Store> {
  return kind === "mongodb" ? await openMongoStore(address) : openSqliteStore(address);
}

async function openMongoStore(url: string): Promise<Store> {
  const client = await new MongoClient(url, { maxPoolSize: 64, promoteBuffers: true }).connect();
  const entries = client.db().collection<{ _id: string; value: Binary | Uint8Array }>("entries", {
    readConcern: { level: "majority" },
    writeConcern: { w: "majority", journal: true },
  });
  return {
    async get(key) {
      const entry = await entries.findOne({ _id: key });
      return entry?.value instanceof Uint8Array ? entry.value : undefined;
    },
    async set(key, value) {
      await entries.updateOne({ _id: key }, { $set: { value: new Binary(value) } }, { upsert: true });
    },
  };
}

function openSqliteStore(path: string): Store {
  const database = new DatabaseSync(path);
  database.exec(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE IF NOT EXISTS entry (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT",
  );
  const select = database.prepare("SELECT value FROM entry WHERE key = ?");
  const upsert = database.prepare(
    "INSERT INTO entry (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  );
  return {
    async get(key) {
      const value = select.get(key)?.["value"];
      return value instanceof Uint8Array ? value : undefined;
    },
    async set(key, value) {
      upsert.run(key, value);
    },
  };
}
