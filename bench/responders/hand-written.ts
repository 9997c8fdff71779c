/**
 * What a team would write by hand for the same work: a NATS subscription, the MongoDB driver, an answer. No sandbox, no
 * policy, no limits, no deadline, no request log. Same replies, same durability, same size of the connection pool as
 * the host's.
 *
 * usage: node hand-written.ts echo|kv SUBJECT NATS_URL mongodb|sqlite STORE
 *
 * @module
 */

import { DatabaseSync } from "node:sqlite";
import { Binary, MongoClient } from "mongodb";
import { connect, headers, type Msg } from "nats";

interface Reply {
  readonly status: number;
  readonly body: Uint8Array;
}

type Handler = (payload: Uint8Array) => Reply | Promise<Reply>;

interface Store {
  get(key: string): Promise<Uint8Array | undefined>;
  set(key: string, value: Uint8Array): Promise<void>;
}

const [job = "", subject = "", natsUrl = "", storeKind = "", storeAddress = ""] = process.argv.slice(2);
const handle = await createHandler();
const nats = await connect({ servers: natsUrl, maxReconnectAttempts: -1 });
nats.subscribe(subject, { queue: "bench", callback: (error, message) => void (error ?? answer(message)) });
await nats.flush();
process.once("SIGTERM", () => void nats.drain().then(() => process.exit(0)));
console.log("ready");

async function answer(message: Msg): Promise<void> {
  const head = headers();
  try {
    const reply = await handle(message.data);
    head.set("Rpc-Status", String(reply.status));
    message.respond(reply.body, { headers: head });
  } catch (error) {
    console.error(error);
    head.set("Rpc-Error", "failed");
    message.respond(undefined, { headers: head });
  }
}

async function createHandler(): Promise<Handler> {
  if (job === "echo") return (body) => ({ status: 200, body });
  const store = storeKind === "mongodb" ? await openMongoStore(storeAddress) : openSqliteStore(storeAddress);
  return async (payload) => {
    const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    const bucketEnd = text.indexOf("\n");
    const keyEnd = text.indexOf("\n", bucketEnd + 1);
    const key = `${text.toString("utf8", 0, bucketEnd)}/${text.toString("utf8", bucketEnd + 1, keyEnd)}`;
    const earlier = await store.get(key);
    await store.set(key, text.subarray(keyEnd + 1));
    return earlier === undefined ? { status: 404, body: new Uint8Array(0) } : { status: 200, body: earlier };
  };
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
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE entry (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT",
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
