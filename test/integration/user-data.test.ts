import { connect, type NatsConnection } from "nats";
import { MongoClient } from "mongodb";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { COMPONENTS, consumerFile, policyFiles, READ_WRITE, uniqueName } from "../harness/plugins.ts";
import { type Replica, startReplica } from "../harness/replica.ts";
import { request } from "../harness/request.ts";

const LANGUAGES = [
  ["Rust", COMPONENTS.userDataRust],
  ["TypeScript", COMPONENTS.userDataTs],
] as const;

describe.each(["MongoDB", "SQLite"] as const)("the key-value examples with values in %s", (store) => {
  const names = { Rust: uniqueName("rust"), TypeScript: uniqueName("ts") };
  const database = uniqueName("userdata");
  let nats: NatsConnection;
  let replica: Replica;

  beforeAll(async () => {
    nats = await connect({ servers: inject("natsUrl") });
    const mongodbUrl = new URL(inject("mongodbUrl"));
    mongodbUrl.pathname = `/${database}`;
    replica = await startReplica({
      consumer: consumerFile({
        group: "user-data",
        plugins: { [names.Rust]: COMPONENTS.userDataRust, [names.TypeScript]: COMPONENTS.userDataTs },
      }),
      policies: policyFiles({ [names.Rust]: READ_WRITE, [names.TypeScript]: READ_WRITE }),
      ...(store === "MongoDB" ? { mongodbUrl: mongodbUrl.href } : {}),
    });
  });

  afterAll(async () => {
    await replica[Symbol.asyncDispose]();
    await nats.close();
  });

  test.each(LANGUAGES)("a plugin in %s reads, changes and writes its value, and answers 200", async (language) => {
    const name = names[language];
    const first = await request(nats, `rpc.${name}`, "alpha", { "Rpc-Id": "r-1", "Rpc-Method": "append" });
    expect(first.headers).toEqual({ "Rpc-Status": "200", "Rpc-Id": "r-1" });
    expect(first.text).toBe("Successfully processed");
    const second = await request(nats, `rpc.${name}.append`, "beta");
    expect([second.status, second.text]).toEqual([200, "Successfully processed"]);
    expect(second.headers["Rpc-Id"]).toMatch(/^[\w-]{16}$/);
  });

  test("the metrics tell how much went to the store together", async () => {
    expect((await request(nats, `rpc.${names.Rust}.append`, "counted")).status).toBe(200);
    const metrics = await (await fetch(`${replica.healthUrl}/metrics`)).text();
    for (const operation of ["get", "set"]) {
      const sum = (what: string): number =>
        Number(new RegExp(`^${what}{operation="${operation}"} ([0-9]+)$`, "m").exec(metrics)?.[1]);
      expect(sum("network_host_kv_batch_operations_count")).toBeGreaterThan(0);
      expect(sum("network_host_kv_batch_bytes_sum")).toBeGreaterThan("counted".length);
    }
  });

  test.each(LANGUAGES)("the log of a plugin in %s names the plugin and the request", async (language) => {
    const plugin = names[language];
    await request(nats, `rpc.${plugin}`, "x", { "Rpc-Id": "logged" });
    const line = await replica.logged(({ msg, plugin: by }) => msg === "Handling request logged" && by === plugin);
    expect(line).toMatchObject({ id: "logged", level: "info", source: "log" });
    const record = await replica.logged(
      ({ msg, id, plugin: of }) => msg === "request" && id === "logged" && of === plugin,
    );
    expect(record).toMatchObject({ method: "", status: 200, digest: expect.stringMatching(/^[0-9a-f]{12}$/) });
    for (const field of ["queueMs", "runMs", "storeMs"]) expect(record[field]).toBeGreaterThanOrEqual(0);
    expect(record["storeMs"]).toBeGreaterThan(0);
  });

  // What SQLite holds is the driver's own; the conformance suite reads it back.
  if (store === "SQLite") return;

  test("the value in MongoDB is what the two requests made of it, private to the plugin", async () => {
    const client = await MongoClient.connect(inject("mongodbUrl"));
    try {
      const [collection] = await client.db(database).collections();
      // The host has a value of its own there.
      const documents = (await collection?.find({ _id: { $not: /^private\/\(host\)\// } }).toArray()) ?? [];
      const texts = documents.map((document) => JSON.stringify(document));
      for (const name of Object.values(names)) {
        expect(texts.filter((text) => text.includes(name))).toHaveLength(1);
      }
      const values = documents.map((document) => Buffer.from(document["value"].buffer).toString());
      expect(values.every((value) => value.startsWith(" processed by alpha processed by beta"))).toBe(true);
    } finally {
      await client.close();
    }
  });
});
