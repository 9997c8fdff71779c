import { connect, headers as clientHeaders, type Msg } from "nats";
import { expect, test } from "vitest";
import { encodedPublish, sequencePublish } from "../../../src/nats/encoded-publish.ts";
import { startNatsServer } from "../../harness/server.ts";

const HEADERS = Buffer.from("NATS/1.0\r\nRpc-Status: 200\r\nRpc-Id: a\r\n\r\n");

test("what is published with encoded headers arrives as what the client publishes, and counts like it", async () => {
  await using server = await startNatsServer();
  const nats = await connect({ servers: server.url });
  const got: Msg[] = [];
  nats.subscribe("reply.>", { callback: (_error, message) => void got.push(message) });
  const headers = clientHeaders();
  headers.set("Rpc-Status", "200");
  headers.set("Rpc-Id", "a");
  const publish = encodedPublish(nats);
  const counted = async (send: (subject: string, data: Uint8Array) => void): Promise<unknown> => {
    const before = nats.stats();
    for (const [subject, data] of [
      ["reply.small", Buffer.from("body")],
      ["reply.empty", Buffer.alloc(0)],
      ["reply.größe", Buffer.from("ö")],
      ["reply.large", Buffer.alloc(500_000, "x")],
    ] as const)
      send(subject, data);
    await nats.flush();
    const { outMsgs } = nats.stats();
    const arrived = got
      .splice(0)
      .map(({ subject, data, headers: read }) => [
        subject,
        Buffer.from(data).toString("base64"),
        read?.get("Rpc-Status"),
        read?.get("Rpc-Id"),
      ]);
    return { arrived, outMsgs: outMsgs - before.outMsgs };
  };
  const ours = await counted((subject, data) => publish(subject, HEADERS, data));
  const clients = await counted((subject, data) => nats.publish(subject, data, { headers }));
  expect(ours).toEqual(clients);
  expect(ours).toMatchObject({ outMsgs: 4 });
  await nats.close();
});

test("messages of a sequence arrive in order, with their reply subjects, and count like others", async () => {
  await using server = await startNatsServer();
  const nats = await connect({ servers: server.url });
  const got: unknown[] = [];
  nats.subscribe("reply.>", {
    callback: (_error, { subject, reply, data }) => void got.push([subject, reply, Buffer.from(data).toString()]),
  });
  const publish = sequencePublish(nats);
  const large = "x".repeat(500_000);
  const { outMsgs, outBytes } = nats.stats();
  publish([
    { subject: "reply.größe", reply: "answer.ö", data: Buffer.alloc(0) },
    { subject: "reply.a", data: Buffer.from("one") },
    { subject: "reply.a", data: Buffer.from(large) },
    { subject: "reply.a", data: Buffer.alloc(0) },
  ]);
  publish([{ subject: "reply.b", data: Buffer.alloc(0) }]);
  publish([{ subject: "reply.c", data: Buffer.from("last") }]);
  await nats.flush();
  expect(got).toEqual([
    ["reply.größe", "answer.ö", ""],
    ["reply.a", "", "one"],
    ["reply.a", "", large],
    ["reply.a", "", ""],
    ["reply.b", "", ""],
    ["reply.c", "", "last"],
  ]);
  const after = nats.stats();
  expect([after.outMsgs - outMsgs, after.outBytes - outBytes]).toEqual([6, 500_007]);
  await nats.close();
});
