/**
 * What a team would write by hand for the same work: a NATS subscription, the MongoDB driver, an answer. No sandbox, no
 * policy, no limits, no deadline, no request log. Same replies, same durability, same size of the connection pool as
 * the host's.
 *
 * usage: node hand-written.ts echo|kv|seed|compute SUBJECT NATS_URL mongodb|sqlite STORE|-
 *
 * @module
 */

import { type Handler, serve } from "./serve.ts";
import { openStore, type Store } from "./store.ts";

const FACTOR = 1_664_525;
const INCREMENT = 1_013_904_223;

const [work = "", subject = "", natsUrl = "", storeKind = "", storeAddress = ""] = process.argv.slice(2);
await serve(natsUrl, subject, await createHandler());

async function createHandler(): Promise<Handler> {
  if (work === "echo") return (body) => ({ status: 200, body });
  if (work === "compute") return compute;
  const store = await openStore(storeKind, storeAddress);
  return work === "seed" ? (payload) => appendTo(store, payload) : (payload) => getSet(store, payload);
}

async function getSet(store: Store, payload: Uint8Array) {
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  const bucketEnd = text.indexOf("\n");
  const keyEnd = text.indexOf("\n", bucketEnd + 1);
  const key = `${text.toString("utf8", 0, bucketEnd)}/${text.toString("utf8", bucketEnd + 1, keyEnd)}`;
  const earlier = await store.get(key);
  await store.set(key, text.subarray(keyEnd + 1));
  return earlier === undefined ? { status: 404, body: new Uint8Array(0) } : { status: 200, body: earlier };
}

/** What examples/user-data-rust does. */
async function appendTo(store: Store, payload: Uint8Array) {
  const decoder = new TextDecoder();
  const current = decoder.decode(await store.get("user-data/some-key"));
  await store.set("user-data/some-key", Buffer.from(`${current} processed by ${decoder.decode(payload)}`));
  return { status: 200, body: Buffer.from("Successfully processed") };
}

function compute(payload: Uint8Array) {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const turns = view.getUint32(4, true);
  let value = view.getInt32(0, true);
  for (let turn = 0; turn < turns; turn++) value = (Math.imul(value, FACTOR) + INCREMENT) | 0;
  const body = Buffer.alloc(4);
  body.writeInt32LE(value);
  return { status: 200, body };
}
