import { randomUUID } from "node:crypto";
import { createServer } from "node:net";
import { once } from "node:events";
import { Binary, MongoClient } from "mongodb";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { FIXED_LIMITS } from "../../src/contract/limits.ts";
import type { BucketName } from "../../src/contract/names.ts";
import { openMongoStore } from "../../src/kv/drivers/mongodb.ts";
import type { KeyAddress, KeyValueStore } from "../../src/kv/store.ts";
import { describeKeyValueStore } from "../conformance/kv/key-value-store.ts";
import { freePort } from "../../src/local-nats/free-port.ts";
import { type OwnServer, startMongod } from "../harness/server.ts";
import { OwnTime } from "../harness/clocks.ts";
import { until } from "../../scripts/lib/until.ts";

/** All that an operation may have, for those that are not about time. */
const OPTIONS = { timeoutMs: FIXED_LIMITS.storeOperationMs };
/** How much later than its time an operation may settle. */
const LATENESS_MS = 1_000;

const DATABASE = `kv-${randomUUID()}`;
const openStore = (): Promise<KeyValueStore> => openMongoStore({ url: inject("mongodbUrl"), database: DATABASE });

function addressOf(key: string): KeyAddress {
  return { namespace: { kind: "private", plugin: "p" }, bucket: "b" as BucketName, key };
}

afterAll(async () => {
  const client = new MongoClient(inject("mongodbUrl"));
  await client.db(DATABASE).dropDatabase();
  await client.close();
});

describeKeyValueStore("MongoDB", { open: openStore, handles: "same-data" });

describeKeyValueStore("MongoDB, one operation at a time", {
  open: () => openMongoStore({ url: inject("mongodbUrl"), database: DATABASE, limits: { batchOperations: 1 } }),
  handles: "same-data",
});

describe("documents in MongoDB", () => {
  let client: MongoClient;
  beforeAll(() => {
    client = new MongoClient(inject("mongodbUrl"));
  });
  afterAll(() => client.close());

  test("hold the address as a string and the value as binary data", async () => {
    await using store = await openStore();
    await store.set(addressOf('{"$gt":""}'), Buffer.from("v"), OPTIONS);
    const collection = client.db(DATABASE).collection<{ _id: string; value: Binary }>("key-value");
    const entry = await collection.findOne({ _id: 'private/p/b/{"$gt":""}' });
    expect(entry?.value).toBeInstanceOf(Binary);
    expect(Buffer.from(entry?.value.value() ?? []).toString()).toBe("v");
  });

  test("that somebody else wrote with another type are an error, not a value", async () => {
    await using store = await openStore();
    const collection = client.db(DATABASE).collection<{ _id: string; value: string }>("key-value");
    await collection.insertOne({ _id: "private/p/b/foreign", value: "text" });
    await expect(store.get(addressOf("foreign"), OPTIONS)).rejects.toMatchObject({ code: "store-unavailable" });
  });

  test("go to the database of the URL unless the option names one", async () => {
    const database = `kv-${randomUUID()}`;
    const url = inject("mongodbUrl").replace("/?", `/${database}?`);
    await using store = await openMongoStore({ url });
    await store.set(addressOf("k"), Buffer.from("v"), OPTIONS);
    expect(await client.db(database).collection("key-value").countDocuments()).toBe(1);
    await client.db(database).dropDatabase();
  });
});

describe("a MongoDB URL", () => {
  const secret = "hunter2-s3cret";

  test.each([
    ["of another scheme", `postgres://user:${secret}@host/db`],
    ["without a host", `mongodb://`],
    ["whose password holds a raw @", `mongodb://user:${secret}@${secret}@127.0.0.1/`],
    ["whose password holds a raw /", `mongodb://user:1/${secret}@127.0.0.1/`],
    ["whose password holds a raw %", `mongodb://user:${secret}%zz@127.0.0.1/`],
    ["with an unknown option", `mongodb://user:${secret}@127.0.0.1/?noSuchOption=${secret}`],
    ["with a bad port", `mongodb://user:${secret}@127.0.0.1:99999999/`],
  ])("%s is refused without a word of it", async (_, url) => {
    const error = await openMongoStore({ url }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(error).toMatchObject({ code: "usage-invalid" });
    expect(everyText(error)).not.toContain(secret);
    expect(everyText(error)).not.toContain("99999999");
  });

  test("keeps its credentials when no server is there", async () => {
    const url = `mongodb://user:${encodeURIComponent(`${secret}/@`)}@127.0.0.1:${await freePort()}/`;
    await using store = await openMongoStore({ url });
    for (const operation of [
      store.get(addressOf("k"), { timeoutMs: 300 }),
      store.set(addressOf("k"), Buffer.from("v"), { timeoutMs: 300 }),
    ]) {
      const error: unknown = await operation.catch((error: unknown) => error);
      expect(error).toMatchObject({ code: "store-unavailable" });
      expect(everyText(error)).not.toContain(secret);
    }
  });

  test("keeps its credentials when the server refuses them", async () => {
    const url = inject("mongodbUrl").replace("mongodb://", `mongodb://user:${secret}@`);
    await using store = await openMongoStore({ url });
    const error: unknown = await store.set(addressOf("k"), Buffer.from("v"), OPTIONS).catch((error: unknown) => error);
    expect(error).toMatchObject({ code: "store-unavailable" });
    expect(everyText(error)).not.toContain(secret);
  });
});

function answersPing(store: KeyValueStore): Promise<boolean> {
  return store.ping({ timeoutMs: 1_000 }).then(
    () => true,
    () => false,
  );
}

/** Makes the driver open one connection for a read and one for a write, so that what follows is sent at once. */
async function openConnections(store: KeyValueStore): Promise<void> {
  const address = addressOf("open");
  await Promise.all([store.set(address, Buffer.from("v"), OPTIONS), store.get(address, OPTIONS)]);
}

/** Eight writers set new keys, one after the other, until `scene` has been played. */
async function writeUntil(
  store: KeyValueStore,
  prefix: string,
  acknowledged: string[],
  failures: string[],
  scene: () => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const writers = Array.from({ length: 8 }, async (_, writer) => {
    for (let write = 0; !stop.signal.aborted; write++) {
      const key = `${prefix}${writer}-${write}`;
      try {
        await store.set(addressOf(key), Buffer.from("v"), { timeoutMs: 1_000 });
        acknowledged.push(key);
      } catch (error) {
        failures.push((error as { code: string }).code);
      }
    }
  });
  try {
    await scene();
  } finally {
    stop.abort();
    await Promise.all(writers);
  }
}

/** All that a logger could find on an error. */
function everyText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return [error.message, error.stack, JSON.stringify(error), everyText(error.cause ?? "")].join("\n");
}

describe("a MongoDB that is not there", () => {
  test("does not keep the store from opening; an operation says within its time that nothing was done", async () => {
    await using store = await openMongoStore({ url: `mongodb://127.0.0.1:${await freePort()}/` });
    await expect(store.ping({ timeoutMs: 100 })).rejects.toMatchObject({ code: "store-unavailable" });
    for (const operation of [
      () => store.get(addressOf("k"), { timeoutMs: 200 }),
      () => store.set(addressOf("k"), Buffer.from("v"), { timeoutMs: 200 }),
    ]) {
      using time = new OwnTime();
      await expect(operation()).rejects.toMatchObject({ code: "store-unavailable" });
      expect(time.elapsedMs).toBeLessThan(200 + LATENESS_MS);
    }
  });

  test("accepts the connection and says nothing: still store-unavailable, within the time", async () => {
    const silent = createServer(() => {});
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    const address = silent.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    const store = await openMongoStore({ url: `mongodb://127.0.0.1:${address.port}/` });
    await expect(store.set(addressOf("k"), Buffer.from("v"), { timeoutMs: 300 })).rejects.toMatchObject({
      code: "store-unavailable",
    });
    await store[Symbol.asyncDispose]();
    silent.close();
  });
});

describe("a MongoDB that fails", () => {
  let server: OwnServer;
  beforeAll(async () => {
    server = await startMongod(["--setParameter", "enableTestCommands=1"]);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  /** Counts what an observer that is not the store finds. */
  async function storedKeys(): Promise<string[]> {
    const client = new MongoClient(server.url);
    const keys = await client.db("network-host").collection<{ _id: string }>("key-value").distinct("_id");
    await client.close();
    return keys;
  }

  /** Runs an administrator's command. */
  async function admin(command: Record<string, unknown>): Promise<void> {
    const client = new MongoClient(server.url);
    await client.db("admin").command(command);
    await client.close();
  }

  /** Lets the next commands of a kind fail, `times` of them, as `data` says. */
  function failNext(times: number, data: Record<string, unknown>): Promise<void> {
    return admin({ configureFailPoint: "failCommand", mode: { times }, data });
  }

  interface Failing {
    readonly what: string;
    readonly times: number;
    readonly data: Record<string, unknown>;
    readonly code: string;
  }
  const forEver = 1_000_000;
  /** Little only where the server takes its time, or never does what it is asked for. */
  const timeFor = ({ times, data }: Pick<Failing, "times" | "data">) =>
    "blockTimeMS" in data || times === forEver ? { timeoutMs: 1_000 } : OPTIONS;
  const write = { failCommands: ["update"] };
  const read = { failCommands: ["find"] };
  const retryable = { errorLabels: ["RetryableWriteError"] };
  const lostRace = { ...write, errorCode: 11_000, errorExtraInfo: { keyPattern: { _id: 1 }, keyValue: { _id: "k" } } };

  test.each<Failing>([
    { what: "a lost connection", times: 1, data: { ...write, closeConnection: true }, code: "success" },
    {
      what: "a lost connection, again and again",
      times: 4,
      data: { ...write, closeConnection: true },
      code: "success",
    },
    {
      what: "a lost connection, for ever",
      times: forEver,
      data: { ...write, closeConnection: true },
      code: "store-outcome-unknown",
    },
    { what: "a lost race of two upserts", times: 1, data: lostRace, code: "success" },
    { what: "a lost race, twice", times: 2, data: lostRace, code: "store-outcome-unknown" },
    { what: "no permission", times: 1, data: { ...write, errorCode: 13 }, code: "store-unavailable" },
    { what: "a full disk", times: 1, data: { ...write, errorCode: 14_031 }, code: "store-unavailable" },
    { what: "an interruption", times: 1, data: { ...write, errorCode: 11_601 }, code: "store-outcome-unknown" },
    { what: "too little time", times: 1, data: { ...write, errorCode: 50 }, code: "store-outcome-unknown" },
    { what: "a step-down", times: 1, data: { ...write, errorCode: 189, ...retryable }, code: "success" },
    {
      what: "a step-down, again and again",
      times: 3,
      data: { ...write, errorCode: 189, ...retryable },
      code: "success",
    },
    {
      what: "a step-down, for ever",
      times: forEver,
      data: { ...write, errorCode: 189, ...retryable },
      code: "store-outcome-unknown",
    },
    {
      what: "a majority that did not acknowledge in time",
      times: 1,
      data: { ...write, writeConcernError: { code: 64, errmsg: "waiting for replication timed out" } },
      code: "store-outcome-unknown",
    },
    {
      what: "an answer that takes too long",
      times: 1,
      data: { ...write, blockConnection: true, blockTimeMS: 1_500 },
      code: "store-outcome-unknown",
    },
  ])("by answering a write with $what: $code", async ({ times, data, code }) => {
    await using store = await openMongoStore({ url: server.url });
    await openConnections(store);
    await failNext(times, data);
    const outcome = store.set(addressOf("k"), Buffer.from("v"), timeFor({ times, data })).then(
      () => "success",
      (error: { code: string }) => error.code,
    );
    expect(await outcome).toBe(code);
    await admin({ configureFailPoint: "failCommand", mode: "off" });
    await store.set(addressOf("k"), Buffer.from("again"), OPTIONS);
    expect(Buffer.from((await store.get(addressOf("k"), OPTIONS)) ?? []).toString()).toBe("again");
  });

  test.each<Failing>([
    { what: "a lost connection", times: 1, data: { ...read, closeConnection: true }, code: "success" },
    {
      what: "a lost connection, again and again",
      times: 4,
      data: { ...read, closeConnection: true },
      code: "success",
    },
    { what: "a step-down, again and again", times: 3, data: { ...read, errorCode: 189 }, code: "success" },
    { what: "no permission", times: 1, data: { ...read, errorCode: 13 }, code: "store-unavailable" },
    { what: "too little time", times: 1, data: { ...read, errorCode: 50 }, code: "store-timeout" },
    {
      what: "an answer that takes too long",
      times: 1,
      data: { ...read, blockConnection: true, blockTimeMS: 1_500 },
      code: "store-timeout",
    },
  ])("by answering a read with $what: $code", async ({ times, data, code }) => {
    await using store = await openMongoStore({ url: server.url });
    await openConnections(store);
    await failNext(times, data);
    const outcome = store.get(addressOf("open"), timeFor({ times, data })).then(
      () => "success",
      (error: { code: string }) => error.code,
    );
    expect(await outcome).toBe(code);
    await admin({ configureFailPoint: "failCommand", mode: "off" });
  });

  test("by freezing: a read times out, a write's outcome is unknown, each in time; thawed it serves again", async () => {
    await using store = await openMongoStore({ url: server.url });
    await openConnections(store);
    await server.pause();
    using time = new OwnTime();
    try {
      const timeoutMs = 700;
      const [read, write] = await Promise.allSettled([
        store.get(addressOf("k"), { timeoutMs }),
        store.set(addressOf("k"), Buffer.from("during"), { timeoutMs }),
      ]);
      expect(read).toMatchObject({ status: "rejected", reason: { code: "store-timeout" } });
      expect(write).toMatchObject({ status: "rejected", reason: { code: "store-outcome-unknown" } });
      expect(time.elapsedMs).toBeLessThan(timeoutMs + LATENESS_MS);
      await expect(store.ping({ timeoutMs: 100 })).rejects.toMatchObject({ code: "store-unavailable" });
    } finally {
      await server.resume();
    }
    await until(() => answersPing(store), { what: "a ping is answered" });
    await store.set(addressOf("k"), Buffer.from("after"), OPTIONS);
    expect(Buffer.from((await store.get(addressOf("k"), OPTIONS)) ?? []).toString()).toBe("after");
  });

  test("under a burst that outnumbers the connections: a write that was not sent is never done later", async () => {
    // So that some wait for a connection and some for their turn.
    await using store = await openMongoStore({ url: server.url, limits: { batchOperations: 2 } });
    await openConnections(store);
    await server.pause();
    const names = Array.from({ length: 200 }, (_, index) => `burst-${index}`);
    let outcomes: PromiseSettledResult<void>[];
    try {
      outcomes = await Promise.allSettled(
        names.map((name) => store.set(addressOf(name), Buffer.from("v"), { timeoutMs: 500 })),
      );
    } finally {
      await server.resume();
    }
    const codes = outcomes.map((outcome) => (outcome.status === "rejected" ? String(outcome.reason.code) : "done"));
    expect(new Set(codes)).toEqual(new Set(["store-unavailable", "store-outcome-unknown"]));
    // The connections of the burst are free again when as many operations as there are of them have passed.
    await until(() => answersPing(store), { what: "a ping is answered" });
    await Promise.all(names.map((_, index) => store.set(addressOf(`later-${index}`), Buffer.from("v"), OPTIONS)));
    const stored = new Set(await storedKeys());
    for (const [index, code] of codes.entries()) {
      if (code === "store-unavailable") expect(stored.has(`private/p/b/burst-${index}`), `burst-${index}`).toBe(false);
    }
  });

  test("by stepping down: writes go on, and every acknowledged one is there", async () => {
    await using store = await openMongoStore({ url: server.url });
    const acknowledged: string[] = [];
    const failures: string[] = [];
    await writeUntil(store, "s", acknowledged, failures, async () => {
      await until(() => acknowledged.length > 20, { what: "writes are acknowledged" });
      await admin({ replSetStepDown: 1, force: true });
      const before = acknowledged.length;
      await until(() => acknowledged.length > before + 20, {
        what: "writes are acknowledged again",
      });
    });
    for (const failure of failures) expect(["store-unavailable", "store-outcome-unknown"]).toContain(failure);
    const stored = new Set(await storedKeys());
    for (const key of acknowledged) expect(stored.has(`private/p/b/${key}`), key).toBe(true);
  });

  test("by dying: operations in flight settle in time, and after its return acknowledged writes are there", async () => {
    await using store = await openMongoStore({ url: server.url });
    const acknowledged: string[] = [];
    const failures: string[] = [];
    await writeUntil(store, "w", acknowledged, failures, async () => {
      await until(() => acknowledged.length > 50, { what: "writes are acknowledged" });
      await server.kill();
      await until(() => failures.length > 0, { what: "a write fails" });
      await server.restart();
      const before = acknowledged.length;
      await until(() => acknowledged.length > before + 20, {
        what: "writes are acknowledged again",
      });
    });
    for (const failure of failures) expect(["store-unavailable", "store-outcome-unknown"]).toContain(failure);
    const stored = new Set(await storedKeys());
    for (const key of acknowledged) expect(stored.has(`private/p/b/${key}`), key).toBe(true);
  });

  test("by dying and coming back: what was in flight waits for it, and is done once", async () => {
    await using store = await openMongoStore({ url: server.url });
    await openConnections(store);
    await store.set(addressOf("kept"), Buffer.from("before"), OPTIONS);
    // Frozen first, so that both are on their way when it dies.
    await server.pause();
    const timeoutMs = 10_000;
    const startedAt = performance.now();
    const outcomes = Promise.allSettled([
      store.get(addressOf("kept"), { timeoutMs }),
      store.set(addressOf("under-way"), Buffer.from("value"), { timeoutMs }),
    ]);
    await server.kill();
    await server.restart();
    const isBackInTime = performance.now() - startedAt < timeoutMs / 2;
    const [read, write] = await outcomes;
    // A machine that takes longer to start a server shows only that they end in time, and as what.
    if (isBackInTime) {
      expect(read).toMatchObject({ status: "fulfilled", value: Buffer.from("before") });
      expect(write).toMatchObject({ status: "fulfilled" });
    }
    if (read.status === "rejected") expect(["store-timeout", "store-unavailable"]).toContain(read.reason.code);
    if (write.status === "rejected") expect(write.reason.code).toBe("store-outcome-unknown");
    if (write.status === "fulfilled") expect(await storedKeys()).toContain("private/p/b/under-way");
  });

  test("at the start: the store serves as soon as the server is there", async () => {
    await server.kill();
    await using store = await openMongoStore({ url: server.url });
    await expect(store.get(addressOf("k"), { timeoutMs: 100 })).rejects.toMatchObject({ code: "store-unavailable" });
    await server.restart();
    await until(() => answersPing(store), { what: "a ping is answered" });
    await store.set(addressOf("k"), Buffer.from("v"), OPTIONS);
  });

  test("while it is closed: closing ends in time", async () => {
    const store = await openMongoStore({ url: server.url });
    await store.set(addressOf("k"), Buffer.from("v"), OPTIONS);
    await server.pause();
    try {
      const pending = store.set(addressOf("k"), Buffer.from("w"), { timeoutMs: 500 });
      using time = new OwnTime();
      const [write] = await Promise.allSettled([pending, store[Symbol.asyncDispose]()]);
      expect(write).toMatchObject({ status: "rejected", reason: { code: "store-outcome-unknown" } });
      expect(time.elapsedMs).toBeLessThan(2_500 + LATENESS_MS);
    } finally {
      await server.resume();
    }
  });
});
