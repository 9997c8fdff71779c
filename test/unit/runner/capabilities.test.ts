import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KeyValueResult } from "../../../src/capabilities/key-value/messages.ts";
import type { HostMessage } from "../../../src/channel/messages/messages.ts";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import { buildArtifact } from "./artifacts.ts";
import { ENGINES, type KeyValueMessage, RunnerChild } from "./runner-child.ts";

let artifactDir: string;
beforeAll(async () => {
  artifactDir = await buildArtifact("actor");
});

function answer(op: number, result: KeyValueResult): HostMessage {
  return { kind: "key-value-result", op, result };
}

describe.each(ENGINES)("the key-value store, on the %s engine", (engine) => {
  it("asks the host with bucket, key and value, and hands its answers to the guest", async () => {
    const asked: KeyValueMessage[] = [];
    const results: KeyValueResult[] = [
      { kind: "value", value: Buffer.from("stored") },
      { kind: "value", value: Buffer.alloc(0) },
      { kind: "none" },
      { kind: "error", message: "access-denied: no" },
      { kind: "none" },
      { kind: "error", message: "value-too-large: no" },
    ];
    await using runner = await RunnerChild.start({
      engine,
      artifactDir,
      perform: (operation) => {
        asked.push(operation);
        return answer(operation.op, results[asked.length - 1] as KeyValueResult);
      },
    });
    const ends = [];
    for (const method of ["get", "get", "get", "get", "set", "set"])
      ends.push((await runner.call(method, Buffer.from("some-key"))).outcome);
    expect(ends).toMatchObject([
      { kind: "response", response: { status: 200, body: Buffer.from("stored") } },
      { kind: "response", response: { status: 200, body: Buffer.alloc(0) } },
      { kind: "response", response: { status: 404 } },
      { kind: "plugin-error", message: "access-denied: no" },
      { kind: "response", response: { status: 204 } },
      { kind: "plugin-error", message: "value-too-large: no" },
    ]);
    expect(asked[0]).toMatchObject({ call: 1, operation: { kind: "get", bucket: "bucket", key: "some-key" } });
    expect(asked[4]).toMatchObject({
      call: 5,
      operation: { kind: "set", bucket: "bucket", key: "b", value: Buffer.from("some-key") },
    });
    expect(new Set(asked.map(({ op }) => op)).size).toBe(asked.length);
  });

  it("suspends each request on its own", async () => {
    const waiting: KeyValueMessage[] = [];
    await using runner = await RunnerChild.start({
      engine,
      artifactDir,
      perform: (operation) => void waiting.push(operation),
    });
    const calls = Array.from({ length: 20 }, (_, index) => runner.begin("get", Buffer.from(`key-${index}`)));
    await runner.until(() => waiting.length === calls.length);
    // Answered last first: each answer must find its own guest.
    for (const {
      op,
      operation: { key },
    } of waiting.toReversed())
      runner.channel.send(answer(op, { kind: "value", value: Buffer.from(`value of ${key}`) }));
    for (const [index, call] of calls.entries())
      expect((await runner.end(call)).outcome).toMatchObject({
        response: { body: Buffer.from(`value of key-${index}`) },
      });
  });

  it("refuses keys that no policy allows before they fill a frame", async () => {
    await using runner = await RunnerChild.start({ engine, artifactDir });
    const { outcome, said } = await runner.call("get", Buffer.alloc(200_000, "k"));
    expect(outcome).toMatchObject({ kind: "plugin-error", message: expect.stringMatching(/^invalid-key: /) as string });
    expect(said).toEqual([]);
  });

  it("is denied to a probe without asking the host", async () => {
    await using runner = await RunnerChild.start({ engine, artifactDir });
    const { outcome, said } = await runner.probe();
    expect(outcome).toMatchObject({ kind: "levels", levels: 3 });
    expect(said).toEqual([]);
  });

  it("gives a cancelled request nothing and hears nothing of it", async () => {
    const waiting: KeyValueMessage[] = [];
    await using runner = await RunnerChild.start({
      engine,
      artifactDir,
      perform: (operation) => void waiting.push(operation),
    });
    const call = runner.begin("get", Buffer.from("key"));
    await runner.until(() => waiting.length === 1);
    runner.channel.send({ kind: "cancel", call });
    runner.channel.send(answer((waiting[0] as KeyValueMessage).op, { kind: "none" }));
    runner.channel.send({ kind: "cancel", call });
    await runner.settle(1);
    expect((await runner.call("echo")).outcome.kind).toBe("response");
    expect(runner.received.filter((message) => "call" in message && message.call === call)).toHaveLength(1);
  });
});

describe.each(ENGINES)("logging, on the %s engine", (engine) => {
  let runner: RunnerChild;
  beforeAll(async () => {
    runner = await RunnerChild.start({ engine, artifactDir, logBytes: 1_000 });
  });
  afterAll(async () => await runner[Symbol.asyncDispose]());

  it("passes a line on with its level", async () => {
    const { said } = await runner.call("log", Buffer.from("a line"));
    expect(said).toMatchObject([{ kind: "log", level: "warning", message: "a line" }]);
  });

  it("stops at the limit and counts what it dropped, once, before the outcome", async () => {
    const { said, outcome } = await runner.call("Log", Buffer.alloc(100, "a"));
    expect(said.filter(({ kind }) => kind === "log")).toHaveLength(10);
    expect(said.at(-1)).toMatchObject({ kind: "dropped", dropped: { lines: 990, bytes: 990 * 100 } });
    expect(runner.received.indexOf(said.at(-1) as never)).toBeLessThan(runner.received.indexOf(outcome));
  });

  it("has an end for empty lines too", async () => {
    const { said } = await runner.call("Log", Buffer.alloc(0));
    expect(said.length).toBeLessThan(100);
  });

  it("sends no more lines than the rate of all calls, and counts the others", async () => {
    const CALLS = 40;
    const LINES = 1_000;
    const startMs = performance.now();
    await using flooded = await RunnerChild.start({ engine, artifactDir });
    const calls = Array.from({ length: CALLS }, () => flooded.begin("Log", Buffer.from("x")));
    for (const call of calls) expect((await flooded.end(call)).outcome.kind).toBe("response");
    const seconds = (performance.now() - startMs) / 1_000;
    const sent = flooded.received.filter(({ kind }) => kind === "log").length;
    const told = flooded.received.flatMap((message) => (message.kind === "dropped" ? message.dropped : []));
    expect(sent).toBeLessThanOrEqual((2 + seconds) * FIXED_LIMITS.logLinesPerSecond);
    // A line has one byte, and no call logs more than it may.
    expect(sent + told.reduce((sum, { missedLines }) => sum + missedLines, 0)).toBe(CALLS * LINES);
    expect(sent + told.reduce((sum, { missedBytes }) => sum + missedBytes, 0)).toBe(CALLS * LINES);
    expect(told.filter(({ lines, bytes }) => lines + bytes > 0)).toEqual([]);
    expect(told.length).toBeLessThanOrEqual(CALLS);
  });

  it("makes one escaped record of each line of output", async () => {
    const { said } = await runner.call("print", Buffer.from('plain\n\u001b[31mred\n{"level":60}\r\nrest'));
    expect(said).toMatchObject([
      { kind: "output", stream: 1, text: "plain" },
      { kind: "output", stream: 1, text: "\\u{1b}[31mred" },
      { kind: "output", stream: 1, text: '{"level":60}\\u{d}' },
      { kind: "output", stream: 1, text: "rest" },
    ]);
  });

  it("cuts output at the limit", async () => {
    const { said } = await runner.call("print", Buffer.alloc(3_000, "x"));
    expect(said).toMatchObject([
      { kind: "output", text: "x".repeat(1_000) },
      { kind: "dropped", dropped: { lines: 1, bytes: 2_000, missedBytes: 0, missedLines: 0 } },
    ]);
  });
});
