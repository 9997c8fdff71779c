/**
 * Per key, what concurrent clients of two replicas see is what one register could have shown them, also while the
 * store fails under them.
 */

import { randomUUID } from "node:crypto";
import { MongoClient } from "mongodb";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { BucketName } from "../../src/contract/names.ts";
import { HostError } from "../../src/errors/host-error.ts";
import { isErrorCode } from "../../src/errors/table.ts";
import { openMongoStore } from "../../src/kv/drivers/mongodb.ts";
import type { KeyAddress, KeyValueStore } from "../../src/kv/store.ts";
import { RegisterHistory, type Registers } from "../conformance/kv/register-history.ts";
import { COMPONENTS, consumerFile, policyFiles, READ_WRITE, uniqueName } from "../harness/plugins.ts";
import { startReplica } from "../harness/replica.ts";
import { request, type Reply } from "../harness/request.ts";
import { type OwnServer, startMongod } from "../harness/server.ts";
import { until } from "../../scripts/lib/until.ts";

const KEYS = ["a", "b", "c"];
const HALF_OF_THEM_WRITES = 0.5;

describe("what clients of two stores on one MongoDB see is linearizable", () => {
  let server: OwnServer;
  let admin: MongoClient;
  beforeAll(async () => {
    server = await startMongod();
    admin = new MongoClient(server.url);
  });
  afterAll(async () => {
    await admin.close();
    await server[Symbol.asyncDispose]();
  });

  interface Scene {
    readonly name: string;
    /** Happens in the middle; settles when the server is back. */
    readonly disturb: () => Promise<unknown>;
    readonly timeoutMs: number;
  }

  test.each<Scene>([
    { name: "when all is well", timeoutMs: 5_000, disturb: async () => undefined },
    {
      name: "when the primary steps down",
      timeoutMs: 1_000,
      disturb: () => admin.db("admin").command({ replSetStepDown: 1, force: true }),
    },
    {
      name: "when the server hangs for longer than operations have time",
      timeoutMs: 500,
      disturb: async () => {
        await server.pause();
        // As long as the server stands still.
        await new Promise((resolve) => setTimeout(resolve, 1_500));
        await server.resume();
      },
    },
    {
      name: "when the server is killed and comes back",
      timeoutMs: 1_000,
      disturb: async () => {
        await server.kill();
        await server.restart();
      },
    },
  ])("$name", async ({ disturb, timeoutMs }) => {
    const open = (database: string): Promise<KeyValueStore> => openMongoStore({ url: server.url, database });
    const database = `kv-${randomUUID()}`;
    await using one = await open(database);
    await using other = await open(database);
    const clients = Array.from({ length: 24 }, (_, client) => registersOf(client % 2 === 0 ? one : other, timeoutMs));
    const history = new RegisterHistory();
    let state: "running" | "stopping" = "running";
    const running = history.run({
      clients,
      keys: KEYS,
      writes: HALF_OF_THEM_WRITES,
      goesOn: () => state === "running",
    });
    try {
      await until(() => history.successes > 1_000, { what: "operations succeed" });
      await disturb();
      const before = history.successes;
      await until(() => history.successes > before + 1_000, { what: "they succeed again" });
    } finally {
      state = "stopping";
      await running;
    }
    history.expectLinearizable();
    const codes = Object.keys(history.outcomes).toSorted();
    expect(["ok", "store-outcome-unknown", "store-timeout", "store-unavailable"]).toEqual(
      expect.arrayContaining(codes),
    );
  });
});

describe("what callers of two replicas see is linearizable", () => {
  let nats: NatsConnection;
  beforeAll(async () => {
    nats = await connect({ servers: inject("natsUrl") });
  });
  afterAll(() => nats.close());

  test("also when one of them is killed", async () => {
    const plugin = uniqueName("register");
    const files = {
      consumer: consumerFile({ group: "registers", plugins: { [plugin]: COMPONENTS.gauntlet("read-write") } }),
      policies: policyFiles({ [plugin]: READ_WRITE }),
      mongodbUrl: inject("mongodbUrl"),
    };
    await using survivor = await startReplica({ ...files, replicaId: "survivor" });
    await using victim = await startReplica({ ...files, replicaId: "victim" });
    const clients = Array.from({ length: 24 }, () => calledRegisters(nats, plugin));
    const history = new RegisterHistory();
    let state: "running" | "stopping" = "running";
    const running = history.run({
      clients,
      keys: KEYS,
      writes: HALF_OF_THEM_WRITES,
      goesOn: () => state === "running",
    });
    try {
      await until(() => history.successes > 1_000, { what: "requests are answered" });
      await victim.kill();
      const before = history.successes;
      await until(() => history.successes > before + 500, { what: "they are answered again" });
    } finally {
      state = "stopping";
      await running;
    }
    history.expectLinearizable();
    for (const replica of [survivor, victim]) {
      expect(replica.records.filter(({ msg }) => msg === "request").length).toBeGreaterThan(100);
    }
  });
});

function registersOf(store: KeyValueStore, timeoutMs: number): Registers {
  const addressOf = (key: string): KeyAddress => ({
    namespace: { kind: "shared", name: "registers" },
    bucket: "registers" as BucketName,
    key,
  });
  return {
    get: async (key) => {
      const value = await store.get(addressOf(key), { timeoutMs });
      return value === undefined ? undefined : Buffer.from(value).toString();
    },
    set: (key, value) => store.set(addressOf(key), Buffer.from(value), { timeoutMs }),
  };
}

/** The gauntlet plugin behind NATS. */
function calledRegisters(nats: NatsConnection, plugin: string): Registers {
  const call = async (method: string, payload: string): Promise<Reply> => {
    const reply = await request(nats, `rpc.${plugin}.${method}`, payload, {}, 10_000);
    if (reply.error === undefined) return reply;
    const [code = ""] = reply.error === "plugin-error" ? reply.text.split(":") : [reply.error];
    throw isErrorCode(code) ? new HostError(code) : new Error(`${reply.error}: ${reply.text}`);
  };
  return {
    async get(key) {
      const reply = await call("get", `registers\n${key}`);
      return reply.status === 404 ? undefined : reply.text;
    },
    async set(key, value) {
      await call("set", `registers\n${key}\n${value}`);
    },
  };
}
