/**
 * What happens to each operation when several go to MongoDB together and not all of them fare alike.
 */

import { randomUUID } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import { MongoClient } from "mongodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FIXED_LIMITS } from "../../src/contract/limits.ts";
import type { BucketName } from "../../src/contract/names.ts";
import { openMongoStore } from "../../src/kv/drivers/mongodb.ts";
import type { KeyAddress, KeyValueStore } from "../../src/kv/store.ts";
import { type OwnServer, startMongod, startStandaloneMongod } from "../harness/server.ts";

/** All that an operation may have, for those that are not about time. */
const OPTIONS = { timeoutMs: FIXED_LIMITS.storeOperationMs };
const MIB = 1024 * 1024;
const VALUE = Buffer.from("v");

function at(key: string): KeyAddress {
  return { namespace: { kind: "private", plugin: "p" }, bucket: "b" as BucketName, key };
}

const names = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${prefix}${n}`);

function codeOf(operation: Promise<unknown>): Promise<string> {
  return operation.then(
    () => "done",
    (error: { code: string }) => error.code,
  );
}

describe("a batch", () => {
  let server: OwnServer;
  let client: MongoClient;
  let database = "";

  beforeAll(async () => {
    server = await startMongod(["--setParameter", "enableTestCommands=1"]);
    client = new MongoClient(server.url);
  });
  afterAll(async () => {
    await client.close();
    await server[Symbol.asyncDispose]();
  });

  /** A store with a database of its own and one connection for each kind of batch, open already. */
  async function openStore(): Promise<KeyValueStore> {
    database = `kv-${randomUUID()}`;
    const store = await openMongoStore({ url: server.url, database });
    await Promise.all([store.set(at("first"), VALUE, OPTIONS), store.get(at("first"), OPTIONS)]);
    return store;
  }

  function setAll(store: KeyValueStore, keys: readonly string[]): Promise<string[]> {
    return Promise.all(keys.map((key) => codeOf(store.set(at(key), VALUE, OPTIONS))));
  }

  const entries = () => client.db(database).collection<{ _id: string; value: unknown }>("key-value");

  /** Runs `scene` and counts the commands of a kind that the server got from it. */
  async function countCommands(kind: "find" | "update", scene: () => Promise<unknown>): Promise<number> {
    const count = async (): Promise<number> =>
      Number((await client.db("admin").command({ serverStatus: 1 }))["metrics"].commands[kind].total);
    const before = await count();
    await scene();
    return (await count()) - before;
  }

  function failNext(times: number, data: Record<string, unknown>): Promise<unknown> {
    return client.db("admin").command({ configureFailPoint: "failCommand", mode: { times }, data });
  }

  test("is one command to the server, however many operations it has", async () => {
    await using store = await openStore();
    const keys = names("k", 100);
    expect(await countCommands("update", () => setAll(store, keys))).toBe(1);
    expect(await countCommands("find", () => Promise.all(keys.map((key) => store.get(at(key), OPTIONS))))).toBe(1);
    expect(await entries().countDocuments()).toBe(101);
  });

  test("with a value that the server refuses fails that one alone, as one that was not written", async () => {
    await using store = await openStore();
    await client.db(database).command({ collMod: "key-value", validator: { _id: { $ne: "private/p/b/refused" } } });
    const keys = ["one", "refused", "two"];
    expect(await setAll(store, keys)).toEqual(["done", "store-unavailable", "done"]);
    const values = await Promise.all(keys.map((key) => store.get(at(key), OPTIONS)));
    expect(values.map((value) => value?.length)).toEqual([1, undefined, 1]);
  });

  test("with a document that is not ours fails that one alone", async () => {
    await using store = await openStore();
    await setAll(store, ["one", "two"]);
    await entries().insertOne({ _id: "private/p/b/foreign", value: "text" });
    const keys = ["one", "foreign", "absent", "two"];
    const outcomes = keys.map((key) => codeOf(store.get(at(key), OPTIONS)));
    expect(await Promise.all(outcomes)).toEqual(["done", "store-unavailable", "done", "done"]);
  });

  test("that another store's batch races for new keys loses none of them", async () => {
    await using one = await openStore();
    await using other = await openMongoStore({ url: server.url, database });
    await other.ping(OPTIONS);
    for (let round = 0; round < 20; round++) {
      const keys = names(`race-${round}-`, 40);
      const outcomes = await Promise.all([setAll(one, keys), setAll(other, keys)]);
      expect(new Set(outcomes.flat())).toEqual(new Set(["done"]));
    }
    expect(await entries().countDocuments()).toBe(20 * 40 + 1);
  });

  test.each([
    { what: "a lost connection", times: 1, data: { closeConnection: true }, code: "done" },
    {
      what: "a lost connection, for ever",
      times: 1_000_000,
      data: { closeConnection: true },
      code: "store-outcome-unknown",
    },
    { what: "no permission", times: 1, data: { errorCode: 13 }, code: "store-unavailable" },
    {
      what: "a majority that did not acknowledge in time",
      times: 1,
      data: { writeConcernError: { code: 64, errmsg: "waiting for replication timed out" } },
      code: "store-outcome-unknown",
    },
  ])("of writes that is answered with $what: all are $code", async ({ times, data, code }) => {
    await using store = await openStore();
    await failNext(times, { failCommands: ["update"], ...data });
    expect(await setAll(store, names("k", 10))).toEqual(Array(10).fill(code));
    await client.db("admin").command({ configureFailPoint: "failCommand", mode: "off" });
    expect(await setAll(store, names("k", 10))).toEqual(Array(10).fill("done"));
  });

  test("that takes long ends for each operation when its own time is over", async () => {
    await using store = await openStore();
    await failNext(1, { failCommands: ["update"], blockConnection: true, blockTimeMS: 1_000 });
    const timeouts = [OPTIONS.timeoutMs, 200, OPTIONS.timeoutMs, 400];
    const endings: number[] = [];
    const startedAt = performance.now();
    const outcomes = timeouts.map(async (timeoutMs, index) => {
      const code = await codeOf(store.set(at(`k${index}`), VALUE, { timeoutMs }));
      endings[index] = performance.now() - startedAt;
      return code;
    });
    expect(await Promise.all(outcomes)).toEqual(["done", "store-outcome-unknown", "done", "store-outcome-unknown"]);
    expect(endings[1]).toBeLessThan(endings[3] as number);
    expect(endings[3]).toBeLessThan(endings[0] as number);
  });

  test("that waits for a server leaves out what nobody waits for any more", async () => {
    await server.kill();
    database = `kv-${randomUUID()}`;
    await using store = await openMongoStore({ url: server.url, database });
    const hasty = codeOf(store.set(at("hasty"), VALUE, { timeoutMs: 100 }));
    const patient = codeOf(store.set(at("patient"), VALUE, OPTIONS));
    expect(await hasty).toBe("store-unavailable");
    await server.restart();
    expect(await patient).toBe("done");
    expect(await entries().distinct("_id")).toEqual(["private/p/b/patient"]);
  });

  test("of reads whose values do not fit into one reply gets all of them, and what is not there", async () => {
    await using store = await openStore();
    const keys = names("large-", 9);
    for (const [index, key] of keys.entries()) await store.set(at(key), new Uint8Array(5 * MIB).fill(index), OPTIONS);
    const values = await Promise.all([...keys, "absent"].map((key) => store.get(at(key), OPTIONS)));
    expect(values.map((value) => value && [value.length, value[0], value.at(-1)])).toEqual([
      ...keys.map((_, index) => [5 * MIB, index, index]),
      undefined,
    ]);
  });
});

describe("a server that is not a replica set", () => {
  test("performs batches, and a write that is lost with its connection is not sent again", async () => {
    await using server = await startStandaloneMongod();
    await using store = await openMongoStore({ url: server.url });
    const write = (prefix: string): Promise<string[]> =>
      Promise.all(names(prefix, 10).map((key) => codeOf(store.set(at(key), VALUE, OPTIONS))));
    expect(await write("before")).toEqual(Array(10).fill("done"));
    await server.pause();
    const during = write("during");
    // Sent at the end of this turn, on a connection that is there.
    await turn();
    await server.kill();
    expect(await during).toEqual(Array(10).fill("store-outcome-unknown"));
    await server.restart();
    expect(await write("after")).toEqual(Array(10).fill("done"));
    const values = names("after", 10).map((key) => store.get(at(key), OPTIONS));
    expect((await Promise.all(values)).every((value) => value?.length === 1)).toBe(true);
  });
});
