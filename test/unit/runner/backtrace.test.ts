import { describe, expect, test } from "vitest";
import { assemblePlugin } from "../../fixtures/wat/assemble.ts";
import { guestFrames } from "../../../src/runner/backtrace.ts";
import { compileArtifact } from "./artifacts.ts";
import { ENGINES, RunnerChild } from "./runner-child.ts";

const TIMEOUT_MS = 60_000;

/** A plugin whose function of that name, as a string of WAT, traps. */
async function trapsIn(name: string): Promise<string> {
  const component = await assemblePlugin({
    insert: { "core-body": `(func $"${name}" unreachable)` },
    replace: { "(i32.store8 (i32.const 16) (i32.const 0))": `(call $"${name}")` },
  });
  return await compileArtifact(component);
}

async function trapOf(engine: (typeof ENGINES)[number], artifactDir: string): Promise<string> {
  await using runner = await RunnerChild.start({ engine, artifactDir });
  const { outcome } = await runner.call("any");
  return outcome.kind === "trap" ? outcome.message : outcome.kind;
}

describe.each(ENGINES)("a trap on the %s engine", (engine) => {
  test(
    "names the functions that it passed, Rust's as they are written",
    async () => {
      const artifact = await trapsIn("_RNvNtCsjrHSEGnQ3l9_3std9panicking15begin_panic_fmt");
      expect(await trapOf(engine, artifact)).toMatch(
        /unreachable.*\n {2}at std::panicking::begin_panic_fmt \(wasm-function\[[0-9]+\]:0x[0-9a-f]+\)\n {2}at .*wasm-function/,
      );
    },
    TIMEOUT_MS,
  );

  test(
    "shows names that are made to deceive escaped and cut",
    async () => {
      const artifact = await trapsIn(`\\1b[31mred\\e2\\80\\ae${"x".repeat(2_000)}`);
      const message = await trapOf(engine, artifact);
      expect(message).toContain("\\u{1b}[31mred\\u{202e}xxx");
      expect(message).toMatch(/^[\x20-\x7e\n]*$/);
      for (const line of message.split("\n")) expect(line.length).toBeLessThan(300);
    },
    TIMEOUT_MS,
  );
});

test("frames are those of the guest, with names or without, and no more than a few", () => {
  const stack = [
    "RuntimeError: unreachable",
    "    at main.f (wasm://wasm/main-8f0a1b2c:wasm-function[12]:0x3f)",
    "    at wasm://wasm/8f0a1b2c:wasm-function[3]:0x10",
    "    at async Calls.run (file:///host/secret/calls.ts:12:3)",
    "    at async main.g (wasm://wasm/main-8f0a1b2c:wasm-function[4]:0x20)",
    ...Array.from({ length: 20 }, () => "    at wasm://wasm/8f0a1b2c:wasm-function[5]:0x30"),
  ];
  expect(guestFrames(stack.join("\n"))).toEqual([
    "  at main.f (wasm-function[12]:0x3f)",
    "  at wasm-function[3]:0x10",
    "  at main.g (wasm-function[4]:0x20)",
    ...Array.from({ length: 5 }, () => "  at wasm-function[5]:0x30"),
  ]);
});
