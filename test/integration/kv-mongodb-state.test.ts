import { randomUUID } from "node:crypto";
import { type Document, MongoClient } from "mongodb";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import { FIXED_LIMITS } from "../../src/contract/limits.ts";
import type { BucketName } from "../../src/contract/names.ts";
import { openMongoStore, type MongoStoreOptions } from "../../src/kv/drivers/mongodb.ts";
import type { KeyAddress, KeyValueStore } from "../../src/kv/store.ts";
import { type StoreNeeds, type StoreState, StoreWatch } from "../../src/kv/store-watch.ts";
import { type GuardedMongod, startGuardedMongod, startReplicaSet } from "../harness/mongod-set.ts";
import { type OwnServer, startMongod } from "../harness/server.ts";
import { until } from "../../scripts/lib/until.ts";

const OPTIONS = { timeoutMs: FIXED_LIMITS.storeOperationMs };
const READ_ONLY: StoreNeeds = { read: true, write: false };
const BOTH: StoreNeeds = { read: true, write: true };

function addressOf(key: string): KeyAddress {
  return { namespace: { kind: "private", plugin: "p" }, bucket: "b" as BucketName, key };
}

/** A store as a replica has it, with the watch on it. */
interface Watched {
  readonly store: KeyValueStore;
  readonly watch: StoreWatch;
  /** What was told of it. */
  readonly states: StoreState[];
}

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

async function openWatched(options: MongoStoreOptions, needs: StoreNeeds = BOTH): Promise<Watched> {
  let watch: StoreWatch | undefined;
  const store = stack.use(
    await openMongoStore({
      ...options,
      onBatch: (kind, { succeeded }) => {
        if (kind === "write" && succeeded > 0) watch?.noteWritten();
      },
    }),
  );
  const states: StoreState[] = [];
  watch = stack.use(new StoreWatch({ store, needs: () => needs, changed: (state) => states.push(state) }));
  return { store, watch, states };
}

/** Waits until the watch says so, and returns the reason of a store that is down. */
async function becomes(watch: StoreWatch, kind: StoreState["kind"], matching = ""): Promise<string> {
  let reason = "";
  await until(
    async () => {
      const state = await watch.look();
      reason = state.kind === "down" ? state.reason : "";
      return state.kind === kind && reason.includes(matching);
    },
    { what: `the store is ${kind} ${matching}`, timeoutMs: 90_000 },
  );
  return reason;
}

function outcomeOf(operation: Promise<unknown>): Promise<string> {
  return operation.then(
    () => "done",
    (error: { code: string }) => error.code,
  );
}

describe("a MongoDB that comes later", () => {
  let server: OwnServer;
  beforeAll(async () => {
    server = await startMongod();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test.each([
    ["reads alone", READ_ONLY],
    ["reads and writes", BOTH],
  ])("serves %s, though the first connection failed permanently", async (_, needs) => {
    await server.kill();
    const { store, watch, states } = await openWatched({ url: server.url }, needs);
    expect(await becomes(watch, "down", "ECONNREFUSED")).toContain(new URL(server.url).host);
    // The driver itself gives up after as long as an operation may take.
    await expect(store.get(addressOf("k"), OPTIONS)).rejects.toMatchObject({ code: "store-unavailable" });
    await until(async () => (await outcomeOf(store.ping({ timeoutMs: 1_000 }))) !== "done", {
      what: "no ping is answered",
    });
    await server.restart();
    await becomes(watch, "up");
    expect(await outcomeOf(store.get(addressOf("k"), OPTIONS))).toBe("done");
    expect(states.at(-1)).toEqual({ kind: "up" });
    const reasons = states.flatMap((state) => (state.kind === "down" ? [state.reason] : []));
    expect(new Set(reasons).size, "no reason is told twice in a row").toBe(reasons.length);
  });
});

describe("a user of MongoDB", () => {
  const password = "hunter2-s3cret";
  let server: GuardedMongod;
  beforeAll(async () => {
    server = await startGuardedMongod();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const urlOf = (user: string, database: string): string =>
    `mongodb://${user}:${password}@${server.address}/${database}?authSource=admin`;
  const createUser = (user: string, role: string, database: string): Promise<unknown> =>
    server.admin("admin", { createUser: user, pwd: password, roles: [{ role, db: database }] });

  test.each([
    ["reads", READ_ONLY],
    ["writes", BOTH],
  ])("that is created later: %s are served then, and the reason names no secret", async (kind, needs) => {
    const [user, database] = [`later-${kind}`, `kv-${kind}`];
    const { store, watch } = await openWatched({ url: urlOf(user, database) }, needs);
    const reason = await becomes(watch, "down", "AuthenticationFailed");
    expect(reason).not.toContain(password);
    expect(await outcomeOf(store.set(addressOf("k"), Buffer.from("v"), OPTIONS))).toBe("store-unavailable");
    await createUser(user, "readWrite", database);
    await becomes(watch, "up");
    expect(await outcomeOf(store.get(addressOf("k"), OPTIONS))).toBe("done");
  });

  test("that may only read: up for plugins that read, down for those that write, until it may", async () => {
    await createUser("reader", "read", "kv-reader");
    const reading = await openWatched({ url: urlOf("reader", "kv-reader") }, READ_ONLY);
    await becomes(reading.watch, "up");
    const { watch } = await openWatched({ url: urlOf("reader", "kv-reader") }, BOTH);
    expect(await becomes(watch, "down", "write failed")).toContain("Unauthorized");
    await server.admin("admin", { grantRolesToUser: "reader", roles: [{ role: "readWrite", db: "kv-reader" }] });
    await becomes(watch, "up");
  });

  test("that may nothing: down for plugins that read, though it answers a ping", async () => {
    await createUser("nobody", "read", "elsewhere");
    const { store, watch } = await openWatched({ url: urlOf("nobody", "kv-nobody") }, READ_ONLY);
    await store.ping(OPTIONS);
    expect(await becomes(watch, "down")).toContain("Unauthorized");
  });
});

describe("a MongoDB that refuses writes", () => {
  let client: MongoClient;
  const database = `kv-${randomUUID()}`;
  beforeAll(() => {
    client = new MongoClient(inject("mongodbUrl"));
  });
  afterAll(async () => {
    await client.db(database).dropDatabase();
    await client.close();
  });

  test("by a validator: down with the reason, until the validator lets them pass", async () => {
    const validator = { value: { $type: "string" } };
    await client.db(database).createCollection("key-value", { validator });
    const { watch } = await openWatched({ url: inject("mongodbUrl"), database });
    expect(await becomes(watch, "down")).toContain("121 DocumentValidationFailure");
    await client.db(database).command({ collMod: "key-value", validator: {} });
    await becomes(watch, "up");
  });

  test("for lack of a disk: down, and up with the first write that is taken", async () => {
    await using server = await startMongod(["--setParameter", "enableTestCommands=1"]);
    await using admin = new MongoClient(server.url);
    const failing = { failCommands: ["update"], errorCode: 14_031 };
    await admin.db("admin").command({ configureFailPoint: "failCommand", mode: "alwaysOn", data: failing });
    const { store, watch } = await openWatched({ url: server.url });
    expect(await becomes(watch, "down")).toContain("14031 OutOfDiskSpace");
    await admin.db("admin").command({ configureFailPoint: "failCommand", mode: "off" });
    await store.set(addressOf("k"), Buffer.from("v"), OPTIONS);
    await until(() => watch.look().then(({ kind }) => kind === "up"), { what: "a plugin's write is the newer sign" });
    await stack.disposeAsync();
  });

  test("since its majority is away: down, with the member that is missing, and up when it is back", async () => {
    await using set = await startReplicaSet();
    const { watch } = await openWatched({ url: set.url });
    await becomes(watch, "up");
    await set.secondary.kill();
    const reason = await becomes(watch, "down");
    expect(reason).toMatch(/did not answer a write|WriteConcern/);
    expect(reason).toContain(`:${set.secondary.port}: `);
    await set.secondary.start();
    await becomes(watch, "up");
    await stack.disposeAsync();
  });
});

describe("the URL's options", () => {
  let client: MongoClient;
  const database = `kv-${randomUUID()}`;
  beforeAll(() => {
    client = new MongoClient(inject("mongodbUrl"));
  });
  afterAll(async () => {
    await client.db(database).dropDatabase();
    await client.close();
  });
  const withOptions = (options: string): string => `${inject("mongodbUrl")}&${options}`;

  /** What a write of this key left in the operation log. */
  async function loggedWrites(key: string): Promise<readonly Document[]> {
    const log = client.db("local").collection("oplog.rs");
    return await log.find({ ns: `${database}.key-value`, "o._id": `private/p/b/${key}` }).toArray();
  }

  test.each([
    ["retryWrites=true", true],
    ["retryWrites=false", false],
  ])("%s: writes have a number or none, which servers without retryable writes refuse", async (option, isNumbered) => {
    const key = option.replace("=", "-");
    const { store } = await openWatched({ url: withOptions(option), database }, READ_ONLY);
    await store.set(addressOf(key), Buffer.from("v"), OPTIONS);
    const writes = await loggedWrites(key);
    expect(writes.map((write) => "txnNumber" in write)).toEqual([isNumbered]);
  });

  test.each(["retryReads", "retryWrites"])(
    "%s=false: a lost connection is an error, else it is not seen",
    async (option) => {
      await using server = await startMongod(["--setParameter", "enableTestCommands=1"]);
      await using admin = new MongoClient(server.url);
      const failing = { failCommands: ["find", "update"], closeConnection: true };
      const outcomes: string[] = [];
      for (const value of ["true", "false"]) {
        await using store = await openMongoStore({ url: `${server.url}&${option}=${value}` });
        await store.set(addressOf("k"), Buffer.from("v"), OPTIONS);
        await admin.db("admin").command({ configureFailPoint: "failCommand", mode: { times: 1 }, data: failing });
        const operation =
          option === "retryReads"
            ? store.get(addressOf("k"), OPTIONS)
            : store.set(addressOf("k"), Buffer.from("w"), OPTIONS);
        outcomes.push(await outcomeOf(operation));
        await admin.db("admin").command({ configureFailPoint: "failCommand", mode: "off" });
      }
      expect(outcomes).toEqual(["done", option === "retryReads" ? "store-unavailable" : "store-outcome-unknown"]);
    },
  );

  test.each([
    "readPreference=secondary",
    "readPreference=secondary&readPreferenceTags=dc:a&maxStalenessSeconds=120",
    "readPreference=nearest&readConcernLevel=available&w=0&journal=false",
    "compressors=zlib,zstd",
    "maxPoolSize=1&minPoolSize=1",
    "appName=other",
  ])("%s: reads come from the primary as ever", async (options) => {
    const url = withOptions(options).replace("directConnection=true&", "");
    const { store, watch } = await openWatched({ url, database }, READ_ONLY);
    await becomes(watch, "up");
    await store.set(addressOf("k"), Buffer.from(options), OPTIONS);
    expect(Buffer.from((await store.get(addressOf("k"), OPTIONS)) ?? []).toString()).toBe(options);
  });

  test("a replica set of another name: down, and the reason says so", async () => {
    const url = inject("mongodbUrl")
      .replace("directConnection=true&", "")
      .replace("replicaSet=rs0", "replicaSet=other");
    const { watch } = await openWatched({ url, database }, READ_ONLY);
    expect(await becomes(watch, "down", "replica set")).toContain("that the URL names");
  });
});
