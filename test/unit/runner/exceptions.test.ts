/** A guest that catches whatever it can: what ends its call passes each of its handlers. */

import { parse } from "@bytecodealliance/jco";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { interceptSuspending, Suspension } from "../../../src/runner/suspension.ts";
import { buildArtifact } from "./artifacts.ts";
import { type CallEnd, ENGINES, RunnerChild } from "./runner-child.ts";

const HANDLERS = { catch_all: "a", catch_all_ref: "r" } as const;

/** What ends a call → the letter of test/fixtures/runner-wat/catcher.wat, and a part of the trap's message. */
const ENDS = {
  "the plugin exits": ["x", "called exit"],
  "a handle is forged": ["h", ""],
  "too many handles are open": ["O", "open handles"],
  "too many random bytes are drawn": ["r", "random bytes"],
  "nothing is polled": ["P", "poll was called with an empty list"],
  "a write has no permit": ["W", "larger than the stream permits"],
  "a log level does not exist": ["l", ""],
  "text is not UTF-8": ["8", ""],
  "a pointer is beyond the memory": ["p", ""],
  "it reaches unreachable": ["u", "unreachable"],
  "it reads a field of null": ["0", "null"],
  "a recursion never ends": ["o", "call stack"],
} as const;

function textOf({ outcome }: CallEnd): string {
  if (outcome.kind === "response") return Buffer.from(outcome.response.body).toString();
  return outcome.kind === "trap" ? `trap: ${outcome.message}` : outcome.kind;
}

describe.each(ENGINES)("a guest with handlers for exceptions, on the %s engine,", (engine) => {
  let runner: RunnerChild;

  beforeAll(async () => {
    runner = await RunnerChild.start({ engine, artifactDir: await buildArtifact("catcher") });
  });
  afterAll(async () => await runner[Symbol.asyncDispose]());

  describe.each(Object.entries(HANDLERS))("with %s", (_, handler) => {
    it.each(Object.entries(ENDS))("catches nothing where %s", async (_what, [act, says]) => {
      const text = textOf(await runner.call(act + handler));
      expect(text).toMatch(/^trap: /);
      expect(text).toContain(says);
    });

    it("catches nothing where it drops a forged handle, which generated code does not mind", async () => {
      expect(textOf(await runner.call(`d${handler}`))).toMatch(engine === "jco" ? /^went on$/ : /^trap: /);
    });

    it("catches its own exception", async () => {
      expect(textOf(await runner.call(`t${handler}`))).toBe("caught");
    });

    it("goes on where nothing is thrown", async () => {
      expect(textOf(await runner.call(`k${handler}`))).toBe("went on");
    });

    it("is unwound while it waits for the store, and runs no handler", async () => {
      const before = runner.received.length;
      const call = runner.begin(`g${handler}`);
      await runner.until((message) => message.kind === "key-value" && message.call === call);
      runner.channel.send({ kind: "cancel", call });
      await runner.settle(1_000 + before);
      expect(runner.received.slice(before).map(({ kind }) => kind)).not.toContain("response");
      expect(textOf(await runner.call("k"))).toBe("went on");
    });
  });

  it("traps where nobody catches its exception, and returns no error of its own", async () => {
    expect(textOf(await runner.call("t"))).toMatch(/^trap: .*threw an exception and did not catch it/);
  });

  it("starts each request without the objects of the one before", async () => {
    for (let request = 0; request < 5; request += 1) expect(textOf(await runner.call("c"))).toBe("112");
  });
});

describe("an import that suspends a guest with handlers", () => {
  /** What the guest made of what its import did: 1 if it caught something. */
  async function outcomeOf(body: () => unknown): Promise<unknown> {
    const native = WebAssembly.Suspending;
    interceptSuspending();
    try {
      const module = await parse(`(module
        (import "" "wait" (func $wait))
        (func (export "run") (result i32)
          (block $caught (try_table (catch_all $caught) (call $wait)) (return (i32.const 0)))
          (i32.const 1)))`);
      const instance = new Suspension().adopt(
        () =>
          new WebAssembly.Instance(new WebAssembly.Module(module), { "": { wait: new WebAssembly.Suspending(body) } }),
      );
      return await (WebAssembly.promising(instance.exports["run"]) as () => Promise<unknown>)();
    } finally {
      WebAssembly.Suspending = native;
    }
  }

  it.each<[string, () => unknown]>([
    ["throws", () => thrown(new TypeError("no such thing"))],
    ["throws what looks like a trap", () => thrown(new WebAssembly.RuntimeError("no such thing"))],
    ["rejects", () => Promise.reject(new Error("no such thing"))],
    ["rejects later", () => new Promise((_, reject) => setImmediate(reject, new Error("no such thing")))],
  ])("and %s ends the guest, which catches nothing", async (_, body) => {
    await expect(outcomeOf(body)).rejects.toThrow("no such thing");
  });

  it("lets it go on where it resolves", async () => {
    expect(await outcomeOf(() => Promise.resolve())).toBe(0);
  });

  function thrown(error: Error): never {
    throw error;
  }
});
