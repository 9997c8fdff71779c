import { describe, expect, test } from "vitest";
import { Closing } from "../../src/app-closing.ts";

/** Closes it at once, and tells what was said about it. */
async function close(closing: Closing, leastMs = 50): Promise<[what: string, message: string][]> {
  const failures: [string, string][] = [];
  await closing.close({
    untilMs: performance.now(),
    leastMs,
    failed: (what, error) => failures.push([what, error instanceof Error ? error.message : String(error)]),
  });
  return failures;
}

describe("closing what was opened", () => {
  test("goes from the last to the first, one after another, each once", async () => {
    const closing = new Closing();
    const closed: string[] = [];
    for (const name of ["first", "second"]) {
      closing.own(name, {
        async [Symbol.asyncDispose]() {
          closed.push(`${name} begins`);
          await Promise.resolve();
          closed.push(`${name} ends`);
        },
      });
    }
    expect(await close(closing)).toEqual([]);
    expect(closed).toEqual(["second begins", "second ends", "first begins", "first ends"]);
    expect(await close(closing)).toEqual([]);
    expect(closed).toHaveLength(4);
  });

  test("skips nothing where a step fails, throws or hangs, and says so", async () => {
    const closing = new Closing();
    const closed: string[] = [];
    closing.defer("first", async () => void closed.push("first"));
    closing.defer("rejects", () => Promise.reject(new Error("no")));
    closing.defer("throws", () => {
      throw new Error("never");
    });
    closing.defer("hangs", (signal) => {
      signal.addEventListener("abort", () => closed.push("told to hurry"));
      return new Promise(() => undefined);
    });
    closing.defer("last", async () => void closed.push("last"));
    expect(await close(closing)).toEqual([
      ["hangs", "not closed within 50 ms"],
      ["throws", "never"],
      ["rejects", "no"],
    ]);
    expect(closed).toEqual(["last", "told to hurry", "first"]);
  });
});
