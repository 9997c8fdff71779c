/** Every request begins with the state before the first one, whether instances are put back or made anew. */

import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { HostMessage } from "../../../src/channel/messages/messages.ts";
import { buildArtifact, compileArtifact } from "./artifacts.ts";
import { ENGINES, type KeyValueMessage, RunnerChild } from "./runner-child.ts";

const ROOT = new URL("../../../", import.meta.url);
const GAUNTLET = "test/components/gauntlet-all.wasm";

const artifacts = new Map<string, Promise<string>>();

/** The artifact of a component that is in the repository, made once. */
function artifactOf(path: string): Promise<string> {
  let artifact = artifacts.get(path);
  if (artifact === undefined) artifacts.set(path, (artifact = compileArtifact(readFileSync(new URL(path, ROOT)))));
  return artifact;
}

function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

async function bodyOf(runner: RunnerChild, method: string, payload?: Uint8Array): Promise<Buffer> {
  const { outcome } = await runner.call(method, payload);
  if (outcome.kind !== "response") throw new Error(JSON.stringify(outcome));
  return Buffer.from(outcome.response.body);
}

/** A store in a map, and the order of what was asked of it. */
function memoryStore(): { perform(operation: KeyValueMessage): HostMessage } {
  const values = new Map<string, Uint8Array>();
  return {
    perform({ op, operation }) {
      const key = `${operation.bucket} ${operation.key}`;
      const value = values.get(key);
      if (operation.kind === "set") values.set(key, Buffer.from(operation.value));
      const found = operation.kind === "get" && value !== undefined;
      return { kind: "key-value-result", op, result: found ? { kind: "value", value } : { kind: "none" } };
    },
  };
}

describe.each(ENGINES)("a request on the %s engine", (engine) => {
  it("counts itself as the first and remembers nobody, hundreds of times, one by one and many at a time", async () => {
    await using runner = await RunnerChild.start({ engine, artifactDir: await artifactOf(GAUNTLET) });
    for (let request = 0; request < 300; request++) {
      const secret = Buffer.from(`secret ${request} `.repeat(1 + (request % 50)));
      expect((await bodyOf(runner, "remember", secret)).toString()).toBe("");
      expect((await bodyOf(runner, "count")).toString()).toBe("1");
    }
    const calls = Array.from({ length: 100 }, () => runner.begin("count"));
    for (const call of calls)
      expect((await runner.end(call)).outcome).toMatchObject({ response: { body: Buffer.from("1") } });
  });

  it("begins afresh after one that failed, trapped or grew its memory", async () => {
    await using runner = await RunnerChild.start({ engine, artifactDir: await buildArtifact("actor") });
    for (const method of ["fail", "unreachable", "x", "overflow", "get-nothing"]) {
      if (method === "get-nothing") void runner.begin("get", Buffer.from("key"));
      else await runner.call(method, Buffer.from("text"));
      expect((await bodyOf(runner, "count")).readUInt32LE()).toBe(1);
      expect((await bodyOf(runner, "m", u64(3n))).readInt32LE()).toBe(2);
    }
  });

  it("draws its own randomness, a thousand times over", async () => {
    await using runner = await RunnerChild.start({ engine, artifactDir: await buildArtifact("actor") });
    const drawn = new Set<string>();
    for (let request = 0; request < 1_000; request++) drawn.add((await bodyOf(runner, "r", u64(16n))).toString("hex"));
    expect(drawn.size).toBe(1_000);
  });

  it("finds no bits that an earlier one left in a NaN", async () => {
    const artifactDir = await buildArtifact("actor", {
      editModule: (text) =>
        text.replace(/\)\s*$/, "(global $left (mut f64) (f64.const nan)))").replace(
          "(call $answer (global.get $count))",
          `(i64.store (i32.const 512) (i64.reinterpret_f64 (global.get $left)))
             (global.set $left (f64.reinterpret_i64 (i64.const 0x7ff8000073656372)))
             (call $respond (i32.const 200) (i32.const 512) (i32.const 8))`,
        ),
    });
    await using runner = await RunnerChild.start({ engine, artifactDir });
    for (let request = 0; request < 20; request++)
      expect((await bodyOf(runner, "count")).readBigUInt64LE()).toBe(0x7ff8_0000_0000_0000n);
  });

  it("has its own seed where the component draws one at its start", async () => {
    const artifactDir = await buildArtifact("actor", {
      editModule: (text) =>
        text
          .replace("(module", '(module (import "wasi:random/random@0.2.0" "get-random-u64" (func $seed (result i64)))')
          .replace(/\)\s*$/, "(func $start (i64.store (i32.const 512) (call $seed))) (start $start))")
          .replace(
            "(call $answer (global.get $count))",
            "(call $respond (i32.const 200) (i32.const 512) (i32.const 8))",
          ),
    });
    await using runner = await RunnerChild.start({ engine, artifactDir });
    const seeds = new Set<string>();
    for (let request = 0; request < 200; request++) seeds.add((await bodyOf(runner, "count")).toString("hex"));
    expect(seeds.size).toBe(200);
  });
});

describe.each(ENGINES)("what the host told a component at its start, on the %s engine,", (engine) => {
  const asksAtStart = (imported: string, ask: string): Promise<string> =>
    buildArtifact("actor", {
      editModule: (text) =>
        text
          .replace(/"wasi:clocks\/monotonic-clock@0.2.0" "now"[^\n]*/, (line) => `${line}\n${imported}`)
          .replace(/\)\s*$/, `(func (export "_initialize") ${ask}))`)
          .replace(
            "(call $answer (global.get $count))",
            "(call $respond (i32.const 200) (i32.const 512) (i32.const 16))",
          ),
    });

  it.each([
    ["the monotonic clock", "", "(i64.store (i32.const 512) (call $now))"],
    [
      "the wall clock",
      '(import "wasi:clocks/wall-clock@0.2.0" "now" (func $date (param i32)))',
      "(call $date (i32.const 512))",
    ],
  ])("is not told to every later request: %s", async (_what, imported, ask) => {
    await using runner = await RunnerChild.start({ engine, artifactDir: await asksAtStart(imported, ask) });
    const first = (await bodyOf(runner, "count")).toString("hex");
    // The instances that wait were made about now: a clock that goes on shows in one of the next.
    await expect.poll(async () => (await bodyOf(runner, "count")).toString("hex")).not.toBe(first);
  });
});

/** What both engines have to answer alike; texts of traps are each engine's own. */
function comparable(call: Awaited<ReturnType<RunnerChild["end"]>>): unknown {
  const { outcome, said } = call;
  return [outcome.kind === "trap" ? "trap" : outcome, said.filter(({ kind }) => kind === "log" || kind === "output")];
}

const SCRIPT: readonly (readonly [method: string, payload: string])[] = [
  ["echo", "hello"],
  ["echo", ""],
  ["id", ""],
  ["status", "65535"],
  ["big-reply", "70000"],
  ["err", ""],
  ["err-payload", "ünïcödé 漢 👩‍🚀"],
  ["set", "bucket\nkey\nvalue"],
  ["get", "bucket\nkey"],
  ["get", "bucket\nother"],
  ["set-size", "bucket\nkey\n5000"],
  ["get-set", "bucket\nkey\nnext"],
  ["get", "bucket\nkey"],
  ["trap-after-set", "bucket\nkey\nlast"],
  ["get", "bucket\nkey"],
  ["many-handles", "bucket\n100"],
  ["many-handles", "bucket\n5000"],
  ["forged-handle", "9"],
  ["dropped-handle", "bucket\nkey"],
  ["log", "a line"],
  ["log-escapes", ""],
  ["log-bad-level", ""],
  ["log-bad-text", ""],
  ["stdout", "one\ntwo"],
  ["stderr", "three"],
  ["over-permit", ""],
  ["sleep", "5"],
  ["sleep-poll", "5"],
  ["poll-nothing", ""],
  ["env", ""],
  ["random-size", "1000"],
  ["random-size", "2000000"],
  ["trap", ""],
  ["recurse", ""],
  ["exit", "ok"],
  ["exit", "no"],
  ["grow", "20"],
  ["hog", ""],
  ["bad-text", ""],
  ["no-such-method", ""],
  ["count", ""],
];

it("is answered alike by both engines, whatever the gauntlet does", async () => {
  const artifactDir = await artifactOf(GAUNTLET);
  const answers = ENGINES.map(async (engine) => {
    await using runner = await RunnerChild.start({ engine, artifactDir, ...memoryStore() });
    const calls: unknown[] = [comparable(await runner.probe())];
    for (const [method, payload] of SCRIPT) calls.push(comparable(await runner.call(method, Buffer.from(payload))));
    return calls;
  });
  const [jco = [], linker = []] = await Promise.all(answers);
  for (const [index, answer] of linker.entries()) expect(answer, SCRIPT[index - 1]?.[0]).toEqual(jco[index]);
});

it.each(["bad-pointer", "bad-length"])(
  "is a trap on the linker engine for %s, where jco cuts the body",
  async (method) => {
    await using runner = await RunnerChild.start({ engine: "linker", artifactDir: await artifactOf(GAUNTLET) });
    const { outcome } = await runner.call(method);
    expect(outcome).toMatchObject({ kind: "trap", message: expect.stringContaining("out of bounds") as string });
  },
);

const EXAMPLES = ["examples/echo-c/echo.wasm", "examples/user-data-rust/user-data-rust.wasm"].concat(
  // Built from packages: there after the first build.
  ["examples/user-data-ts/user-data-ts.wasm"].filter((path) => existsSync(new URL(path, ROOT))),
);

it.each(EXAMPLES)("is answered alike by both engines for %s", async (path) => {
  const artifactDir = await artifactOf(path);
  const answers = ENGINES.map(async (engine) => {
    await using runner = await RunnerChild.start({ engine, artifactDir, memoryPages: 1024, ...memoryStore() });
    const calls: unknown[] = [comparable(await runner.probe())];
    for (const text of ["", "a", "b".repeat(20_000), "ünïcödé 漢", "\ud83d\ude80".repeat(500)])
      for (let turn = 0; turn < 3; turn++) calls.push(comparable(await runner.call("append", Buffer.from(text))));
    calls.push(comparable(await runner.call("append", Buffer.from([0xff, 0xfe, 0x00]))));
    return calls;
  });
  const [jco, linker] = await Promise.all(answers);
  expect(linker).toEqual(jco);
});
