import { MongoClient } from "mongodb";
import { connect } from "nats";
import { expect, inject, test } from "vitest";
import { startMongod, startNatsServer } from "../../harness/server.ts";

/** For a write to a server that is frozen. */
const HASTY = { connectTimeoutMS: 2_000, socketTimeoutMS: 1_000, serverSelectionTimeoutMS: 60_000, retryWrites: false };

test("the shared NATS server takes clients without credentials", async () => {
  const nats = await connect({ servers: inject("natsUrl"), maxReconnectAttempts: 0 });
  expect(await nats.rtt()).toBeGreaterThanOrEqual(0);
  await nats.close();
});

test("the shared MongoDB acknowledges a majority write", async () => {
  await using client = await new MongoClient(inject("mongodbUrl")).connect();
  const database = client.db(`harness-${crypto.randomUUID()}`);
  const result = await database.collection("probe").insertOne({ n: 1 }, { writeConcern: { w: "majority" } });
  expect(result.acknowledged).toBe(true);
  await database.dropDatabase();
});

test("a NATS server of a test's own can be frozen, and killed and started again on its port", async () => {
  await using server = await startNatsServer();
  const nats = await connect({ servers: server.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  await server.pause();
  const answered = await Promise.race([
    nats.rtt().then(() => true),
    // Nothing tells of an answer that does not come.
    new Promise((done) => setTimeout(done, 300, false)),
  ]);
  expect(answered).toBe(false);
  await server.resume();
  await nats.rtt();

  const reconnected = Promise.withResolvers<void>();
  void (async () => {
    for await (const status of nats.status()) if (status.type === "reconnect") reconnected.resolve();
  })();
  await server.kill();
  await server.restart();
  await reconnected.promise;
  expect(await nats.rtt()).toBeGreaterThanOrEqual(0);
  await nats.close();
});

test("a MongoDB of a test's own keeps what it acknowledged when it is killed and started again", async () => {
  await using server = await startMongod();
  await using client = await new MongoClient(server.url).connect();
  await using hasty = await new MongoClient(server.url, HASTY).connect();
  const probes = client.db("harness").collection("probe");
  await probes.insertOne({ n: 1 }, { writeConcern: { w: "majority" } });
  await server.pause();
  await expect(hasty.db("harness").collection("probe").insertOne({ n: 2 })).rejects.toThrow();
  await server.resume();
  await server.kill();
  await server.restart();
  expect(await probes.countDocuments({ n: 1 })).toBe(1);
});
