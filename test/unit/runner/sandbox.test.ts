import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MAX_OPEN_HANDLES, MAX_RANDOM_BYTES } from "../../../src/runner/guest/guest-context.ts";
import { buildArtifact } from "./artifacts.ts";
import { ENGINES, RunnerChild } from "./runner-child.ts";

const MEMORY_PAGES = 128;

describe.each(ENGINES)("what a guest reaches, on the %s engine", (engine) => {
  let runner: RunnerChild;
  beforeAll(async () => {
    runner = await RunnerChild.start({ engine, artifactDir: await buildArtifact("actor"), memoryPages: MEMORY_PAGES });
  });
  afterAll(async () => await runner[Symbol.asyncDispose]());

  /** The number that a method answers with. */
  async function ask(method: string, argument = 0n): Promise<number> {
    const { outcome } = await runner.call(method, u64(argument));
    if (outcome.kind !== "response") throw new Error(JSON.stringify(outcome));
    return Buffer.from(outcome.response.body).readInt32LE();
  }

  async function trap(method: string, argument = 0n): Promise<string> {
    const { outcome } = await runner.call(method, u64(argument));
    if (outcome.kind !== "trap") throw new Error(JSON.stringify(outcome));
    return outcome.message;
  }

  it("has an empty environment, no arguments and no directory", async () => {
    expect(await ask("v")).toBe(0);
  });

  it("is an input that is at its end and no network", async () => {
    const closed = 0x0101;
    expect(await ask("I")).toBe(closed);
    const accessDenied = 0x0101;
    expect(await ask("n")).toBe(accessDenied);
  });

  it("is a clock that ticks in milliseconds", async () => {
    expect(await ask("t")).toBe(0);
  });

  it("is as much memory as allowed: growing beyond is -1, not a trap", async () => {
    expect(await ask("m", 16n)).toBe(2);
    expect(await ask("m", BigInt(MEMORY_PAGES))).toBe(-1);
  });

  it("is a bounded amount of randomness that differs between requests", async () => {
    const draws = await Promise.all([runner.call("r", u64(32n)), runner.call("r", u64(32n))]);
    const [first, second] = draws.map(({ outcome }) =>
      outcome.kind === "response" ? outcome.response.body : undefined,
    );
    expect(first).toHaveLength(32);
    expect(first).not.toEqual(second);
    expect(await trap("r", 2n ** 31n)).toContain(`${MAX_RANDOM_BYTES} random bytes`);
    expect(await trap("r", 2n ** 64n - 1n)).toContain(`${MAX_RANDOM_BYTES} random bytes`);
  });

  it("is a bounded number of open handles", async () => {
    expect(await trap("O")).toContain(`${MAX_OPEN_HANDLES} open handles`);
  });

  it("waits on a clock without stopping others, and polls what is ready first", async () => {
    const waiting = runner.begin("wait", u64(1_000_000_000n));
    const { outcome: echoed } = await runner.call("echo");
    const { outcome: waited } = await runner.end(waiting);
    expect([echoed.kind, waited.kind]).toEqual(["response", "response"]);
    expect(runner.received.indexOf(echoed)).toBeLessThan(runner.received.indexOf(waited));
    const oneReadyAndItIsTheSecond = 0x0101;
    expect(await ask("q")).toBe(oneReadyAndItIsTheSecond);
  });

  it.each([
    ["a store", "h", 7n],
    ["a store, handle 0", "h", 0n],
    ["a store, a handle that wraps around", "h", 0x8000_0001n],
    ["a pollable, asked", "R", 7n],
    ["a pollable, blocked on", "B", 7n],
    ["a pollable, polled", "Q", 7n],
    ["a stream", "S", 7n],
  ])("is nothing behind a forged handle of %s", async (_, method, handle) => {
    await trap(method, handle);
    expect(runner.received.filter(({ kind }) => kind === "key-value")).toEqual([]);
  });

  it("is neither an empty poll nor a write beyond the permit", async () => {
    expect(await trap("P")).toContain("empty list");
    expect(await trap("W")).toContain("stream permits");
  });
});

/** Generated code that tries to get out: each expression must throw or be undefined. */
const ESCAPES = [
  "process",
  "globalThis.process",
  "fetch",
  "WebSocket",
  "require",
  "navigator",
  "new Function('return 1')()",
  "(0, eval)('1')",
  "(() => {}).constructor('return this')()",
  "await import('node:fs')",
  "await import('node:process')",
  "await import('data:text/javascript,export default 1')",
  "await import('./component.js?again')",
];

it("leaves generated code nothing to reach the process with", async () => {
  const attempts = ESCAPES.map(
    (expression) => `
      try { const got = ${expression}; if (got !== undefined) found.push(${JSON.stringify(expression)}); } catch {}`,
  );
  const artifactDir = await buildArtifact("actor", {
    editEntry: (code) =>
      `const found = [];${attempts.join("")}\nif (found.length > 0) throw new Error(found.join(" | "));\n${code}`,
  });
  await using runner = await RunnerChild.start({ engine: "jco", artifactDir });
  expect((await runner.call("echo")).outcome.kind).toBe("response");
});

function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}
