/**
 * Plugins called by the clients that the released crates make of wit/, over both transports: see `test/authors/wrpc`. What they
 * and a replica say to each other is recorded with RECORD_WRPC=1, and replayed at each run of
 * `test/integration/wrpc/recorded.test.ts`.
 */

import { readFile } from "node:fs/promises";
import { connect } from "nats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../../src/local-nats/free-port.ts";
import { projectFile } from "../harness/plugins.ts";
import { startNatsRecorder } from "../harness/wrpc/nats-recorder.ts";
import {
  type Question,
  QUESTIONS,
  readRecordings,
  type Recordings,
  writeRecordings,
} from "../harness/wrpc/recordings.ts";
import { LOOPBACK, type ServedName, startWrpcReplica, type WrpcReplica } from "../harness/wrpc/served-replica.ts";
import { startTcpRecorder } from "../harness/wrpc/tcp-recorder.ts";
import { describeOnRequest } from "./toolchains.ts";
import { RustClient, type Transport, TRANSPORTS } from "./wrpc-client.ts";
import { createWorkplace, TOOLCHAINS } from "./workplace.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
/** Around what LEB128 and the frames have one byte more for, and what a NATS message holds. */
const BODY_SIZES = [0, 1, 127, 128, 16_383, 16_384, 300_000, MIB - 100, MIB, 8 * MIB];
/** Long enough to be seen while it lasts. */
const SLEEP_MS = "3000";

await describeOnRequest(["cargo"], "clients of the crates of wRPC", () => {
  let served: WrpcReplica;
  beforeAll(async () => {
    served = await startWrpcReplica();
  });
  afterAll(() => served?.[Symbol.asyncDispose]());

  const addressOf = (transport: Transport, plugin: ServedName): string =>
    transport === "tcp" ? `${LOOPBACK}:${served.ports[plugin]}` : served.prefixOf(plugin);

  /** What the replica counts of a plugin; 0 where it does not. */
  const gauge = async (name: string, plugin: string): Promise<number> => {
    const metrics = await (await fetch(`${served.replica.healthUrl}/metrics`)).text();
    const line = metrics.split("\n").find((one) => one.startsWith(`${name}{plugin="${plugin}"}`));
    return Number(line?.split(" ").at(-1) ?? 0);
  };

  describe.each(TRANSPORTS)("over %s", (transport) => {
    let client: RustClient;
    beforeAll(async () => {
      client = await RustClient.build(transport, served.nats.url);
    });

    test("learn which levels a plugin requests", async () => {
      expect(await client.levels(addressOf(transport, "gauntlet"))).toEqual({
        levels: ["key-value-read", "key-value-write"],
      });
      expect(await client.levels(addressOf(transport, "echo"))).toEqual({ levels: [] });
      // There is no place for an error in what the function returns; NATS has one in the place of the handshake.
      expect(await client.levels(addressOf(transport, "denied"))).toEqual({
        failed: expect.stringMatching(transport === "tcp" ? /incomplete results/ : /does not allow/),
      });
    });

    test("get a plugin's status and body, its error's text, and what the host says in its place", async () => {
      const ask = (method: string, payload: string, plugin: ServedName = "gauntlet", id?: string) =>
        client.call(addressOf(transport, plugin), method, payload, id);
      expect(await ask("status", "404")).toEqual({ ok: { status: 404, body: "" } });
      expect(await ask("echo", "olá")).toEqual({ ok: { status: 200, body: "olá" } });
      expect(await ask("id", "", "gauntlet", "a-caller's-own")).toEqual({
        ok: { status: 200, body: "a-caller's-own" },
      });
      expect(await ask("err-payload", "não")).toEqual({ err: "não" });
      expect(await ask("trap", "")).toEqual({ err: expect.stringMatching(/^plugin-trapped: /) });
      expect(await ask("echo", "x*65", "small")).toEqual({ err: expect.stringMatching(/^payload-too-large: /) });
      expect(await ask("echo", "hi", "denied")).toEqual({ err: expect.stringMatching(/^denied: /) });
    });

    test("an id is made where the caller's is empty", async () => {
      const answer = await client.call(addressOf(transport, "gauntlet"), "id", "", "");
      expect(answer).toEqual({ ok: { status: 200, body: expect.stringMatching(/^.{8,}$/) } });
    });

    test("get back every body, 16 calls at a time", async () => {
      const address = addressOf(transport, "gauntlet");
      const ok = BODY_SIZES.map((bytes) => ({ bytes, ok: 32 }));
      expect(await client.echo(address, 32, 16, BODY_SIZES)).toEqual(ok);
    });

    test("go away from a call, and the replica goes on", async () => {
      const address = addressOf(transport, "gauntlet");
      await using waiting = await client.wait(address, "sleep", SLEEP_MS);
      await expect.poll(() => gauge("network_host_in_flight", "gauntlet")).toBe(1);
      await waiting.drop();
      expect(await client.call(address, "echo", "next")).toEqual({ ok: { status: 200, body: "next" } });
      // The caller has ended its side before, so nothing tells the replica: it works on, and its answer is for nobody.
      await expect.poll(() => gauge("network_host_wrpc_connections", "gauntlet")).toBe(0);
      await expect.poll(() => gauge("network_host_in_flight", "gauntlet")).toBe(0);
    });

    test("learn at once that nobody serves a plugin", async () => {
      const nowhere =
        transport === "tcp" ? `${LOOPBACK}:${await freePort()}` : served.prefixOf("echo").replace("echo", "nobody");
      expect(await client.call(nowhere, "echo", "hi")).toEqual({
        failed: expect.stringMatching(transport === "tcp" ? /refused/ : /not connected/),
      });
    });
  });

  test("are generated by the page that says how", async () => {
    await using workplace = await createWorkplace({
      env: {
        NATS_URL: served.nats.url,
        WRPC_ECHO: addressOf("tcp", "echo"),
        CARGO_TARGET_DIR: `${TOOLCHAINS}/wrpc-page`,
        // Of an error that is returned, its text is enough.
        RUST_BACKTRACE: "0",
      },
    });
    await workplace.follow("docs/wrpc-rust.md");
  });

  test.runIf(process.env["RECORD_WRPC"] === "1")("and a replica are recorded", async () => {
    const tcp = await recordTcp(served);
    const nats = await recordNats(served);
    await writeRecordings({ tcp, nats });
  });

  test("are of the versions that are recorded", async () => {
    const { tcp, nats } = await readRecordings();
    expect(tcp.crates).toEqual(await cratesOf("tcp"));
    expect(nats.crates).toEqual(await cratesOf("nats"));
  });
});

/** Name and version of the crates that the client's lock file has of wRPC. */
async function cratesOf(transport: Transport): Promise<string[]> {
  const lock = await readFile(projectFile(`test/authors/wrpc/${transport}/Cargo.lock`), "utf8");
  return [...lock.matchAll(/^name = "((?:wit-bindgen-)?wrpc(?:-transport.*)?)"\nversion = "(.*)"$/gm)].map(
    ([, name, version]) => `${name} ${version}`,
  );
}

async function ask(client: RustClient, address: string, question: Question): Promise<void> {
  if (question.ask === "levels") await client.levels(address);
  else await client.call(address, question.method, question.payload);
}

async function recordTcp({ ports, nats }: WrpcReplica): Promise<Recordings["tcp"]> {
  const client = await RustClient.build("tcp", nats.url);
  const conversations = [];
  for (const question of QUESTIONS) {
    await using recorder = await startTcpRecorder({ host: LOOPBACK, port: ports[question.plugin] });
    await ask(client, recorder.address, question);
    conversations.push(await recorder.next(question.name));
  }
  return { crates: await cratesOf("tcp"), conversations };
}

async function recordNats({ nats, prefixOf }: WrpcReplica): Promise<Recordings["nats"]> {
  const client = await RustClient.build("nats", nats.url);
  const connection = await connect({ servers: nats.url });
  const conversations = [];
  try {
    for (const question of QUESTIONS) {
      await using recorder = await startNatsRecorder(connection, prefixOf(question.plugin));
      await ask(client, prefixOf(question.plugin), question);
      conversations.push(await recorder.next(question.name));
    }
  } finally {
    await connection.close();
  }
  return { crates: await cratesOf("nats"), conversations };
}
