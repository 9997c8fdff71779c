import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunnerMessage } from "../../../src/channel/messages/messages.ts";
import { buildArtifact } from "./artifacts.ts";
import { ENGINES, type CallEnd, RunnerChild } from "./runner-child.ts";

const REPLY_BYTES = 4_096;

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function body({ outcome }: CallEnd): Buffer {
  if (outcome.kind !== "response") throw new Error(`no response: ${JSON.stringify(outcome)}`);
  return Buffer.from(outcome.response.body);
}

function trapMessage({ outcome }: CallEnd): string {
  if (outcome.kind !== "trap") throw new Error(`no trap: ${JSON.stringify(outcome)}`);
  return outcome.message;
}

describe.each(ENGINES)("the outcome of a request, on the %s engine", (engine) => {
  let runner: RunnerChild;

  beforeAll(async () => {
    runner = await RunnerChild.start({ engine, artifactDir: await buildArtifact("actor"), replyBytes: REPLY_BYTES });
  });
  afterAll(async () => await runner[Symbol.asyncDispose]());

  it("is a response with the plugin's status and body", async () => {
    const { outcome } = await runner.call("echo", Buffer.from("hello"));
    expect(outcome).toMatchObject({ kind: "response", response: { status: 200, body: Buffer.from("hello") } });
  });

  it("is a plugin error with the text of an err", async () => {
    const { outcome } = await runner.call("fail", Buffer.from("no such user"));
    expect(outcome).toMatchObject({ kind: "plugin-error", message: "no such user" });
  });

  it("is oversize, with the size, for a body or an error text beyond the limit", async () => {
    const tooMuch = Buffer.alloc(REPLY_BYTES + 1, "a");
    expect((await runner.call("echo", tooMuch)).outcome).toMatchObject({ kind: "oversize", bytes: REPLY_BYTES + 1 });
    expect((await runner.call("fail", tooMuch)).outcome).toMatchObject({ kind: "oversize", bytes: REPLY_BYTES + 1 });
    expect((await runner.call("echo", tooMuch.subarray(1))).outcome.kind).toBe("response");
  });

  it("is a trap for an instruction that traps, naming where", async () => {
    expect(trapMessage(await runner.call("unreachable"))).toMatch(/unreachable.*\n.*wasm-function/);
  });

  it("is a trap for exit, and the process lives on", async () => {
    expect(trapMessage(await runner.call("x"))).toContain("called exit");
    expect((await runner.call("echo")).outcome.kind).toBe("response");
  });

  it("is a trap for exit even if the guest catches what is thrown", async () => {
    expect(trapMessage(await runner.call("Xit"))).toContain("called exit");
    await runner.settle(99);
  });

  it("is a trap for a recursion without end, and the process lives on", async () => {
    expect(trapMessage(await runner.call("overflow"))).toContain("call stack");
    expect((await runner.call("echo")).outcome.kind).toBe("response");
  });

  it("comes from fresh state for every request", async () => {
    const counts = new Set<number>();
    for (let request = 0; request < 100; request++) counts.add(body(await runner.call("count")).readUInt32LE());
    expect([...counts]).toEqual([1]);
  });

  it("does not change when many requests run at a time", async () => {
    const calls = Array.from({ length: 50 }, (_, index) => runner.begin("echo", u32(index)));
    const bodies = await Promise.all(calls.map(async (call) => body(await runner.end(call)).readUInt32LE()));
    expect(bodies).toEqual(calls.map((_, index) => index));
  });

  it("is sent once, whatever it is", async () => {
    const calls = ["echo", "fail", "unreachable", "x", "overflow", "O", "P"].map((method) => runner.begin(method));
    await Promise.all(calls.map((call) => runner.end(call)));
    await runner.settle(1);
    for (const call of calls) {
      const ends = runner.received.filter((message) => "call" in message && message.call === call && !isTalk(message));
      expect(ends).toHaveLength(1);
    }
  });
});

describe.each(ENGINES)("a component of other types than the contract's, on the %s engine", (engine) => {
  it.each([
    [
      "a status of 32 bits",
      /status: u16/,
      "status: u32",
      "i32.store16 (i32.const 68)",
      "i32.store (i32.const 68)",
      "echo",
    ],
    [
      "an error that is a list of bytes",
      /result<rpc-response, string>/,
      "result<rpc-response, list<u8>>",
      "",
      "",
      "fail",
    ],
    ["an error that is a number", /result<rpc-response, string>/, "result<rpc-response, u32>", "", "", "fail"],
  ])("traps with %s", async (_, type, otherType, code, otherCode, method) => {
    const artifactDir = await buildArtifact("actor", {
      editWit: (wit) => wit.replace(type, otherType),
      editModule: (text) => text.replace(code, otherCode).replaceAll("i32.const 200)", "i32.const 70000)"),
    });
    await using runner = await RunnerChild.start({ engine, artifactDir });
    expect(trapMessage(await runner.call(method, Buffer.from("text")))).toMatch(/^handle-request returned/);
  });

  it("traps when its flags are others, however many they are", async () => {
    const artifactDir = await buildArtifact("actor", {
      editWit: (wit) => wit.replace("outbound-http,\n", "outbound-http,\n  everything,\n"),
    });
    await using runner = await RunnerChild.start({ engine, artifactDir });
    expect(trapMessage(await runner.probe())).toMatch(/^get-access-levels returned other flags/);
  });
});

function isTalk({ kind }: RunnerMessage): boolean {
  return ["log", "output", "dropped", "key-value"].includes(kind);
}
