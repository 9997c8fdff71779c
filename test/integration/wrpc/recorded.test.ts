/**
 * What clients of the released crates of wRPC said once, said to a replica again: it answers with the same bytes. The recording
 * is made by `test/authors/wrpc.test.ts`.
 */

import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { replayNats } from "../../harness/wrpc/nats-recorder.ts";
import { type Question, QUESTIONS, readRecordings, type Recordings } from "../../harness/wrpc/recordings.ts";
import { LOOPBACK, startWrpcReplica, type WrpcReplica } from "../../harness/wrpc/served-replica.ts";
import { replayTcp } from "../../harness/wrpc/tcp-recorder.ts";

/** All at once, as a slow network might cut it, and each length and text in pieces. */
const PIECE_BYTES = [Number.MAX_SAFE_INTEGER, 1_000, 1] as const;

let recordings: Recordings;
let served: WrpcReplica;
let connection: NatsConnection;

beforeAll(async () => {
  recordings = await readRecordings();
  served = await startWrpcReplica();
  connection = await connect({ servers: served.nats.url });
});
afterAll(async () => {
  await connection?.close();
  await served?.[Symbol.asyncDispose]();
});

describe.each<Question>(QUESTIONS)("the recorded call $name", (question) => {
  const { name, plugin } = question;

  test.each(PIECE_BYTES.filter((bytes) => bytes > 1 || !isLong(question)))(
    "is answered over TCP as it was, in pieces of at most %i bytes",
    async (pieceBytes) => {
      const recorded = recordings.tcp.conversations.find((one) => one.name === name);
      expect(recorded).toBeDefined();
      const { client = "", server } = recorded ?? {};
      const answer = await replayTcp({ client }, { host: LOOPBACK, port: served.ports[plugin] }, pieceBytes);
      expect(answer).toBe(server);
    },
  );

  test("is answered over NATS as it was", async () => {
    const recorded = recordings.nats.conversations.find((one) => one.name === name);
    expect(recorded).toBeDefined();
    const { messages = [] } = recorded ?? {};
    expect(await replayNats({ messages }, connection, served.prefixOf(plugin))).toEqual(messages);
  });
});

/** It would be millions of packets of a byte each. */
function isLong(question: Question): boolean {
  return question.ask === "call" && /^x\*\d{4,}$/.test(question.payload);
}

test("every recorded call is one of them", () => {
  const names = QUESTIONS.map((question) => question.name);
  expect(recordings.tcp.conversations.map((one) => one.name)).toEqual(names);
  expect(recordings.nats.conversations.map((one) => one.name)).toEqual(names);
});
