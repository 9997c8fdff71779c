/** What is tried again and when: the decision alone. */

import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ERROR_CODES, type ErrorCode } from "../src/error-codes.ts";
import { type Failure, failureOf } from "../src/call-error.ts";
import { retryDelayMs, type RetryPolicy } from "../src/retry.ts";
import { RetryTokens } from "../src/retry-tokens.ts";

const POLICY: RetryPolicy = { maxTries: 10, isIdempotent: false, waitForReplica: false };
const FIRST = { tries: 1, leftMs: 5_000 };

function codesTried(policy: RetryPolicy): string[] {
  return (Object.keys(ERROR_CODES) as ErrorCode[]).filter(
    (code) => retryDelayMs(failureOf(code, ""), policy, FIRST, 0) !== undefined,
  );
}

describe("a failure is tried again", () => {
  test("where it is retryable and the plugin cannot have run", () => {
    expect(codesTried(POLICY)).toEqual(["overloaded", "plugin-unavailable"]);
  });

  test("as the pages for callers say", async () => {
    const safe = codesTried(POLICY).map((code) => `\`${code}\``);
    for (const [path, sentence] of [
      ["../../../docs/clients.md", `its code is ${safe.join(" or ")}:`],
      ["../README.md", `the plugin cannot have run: ${safe.join(", ")}.`],
    ] as const) {
      const page = await readFile(new URL(path, import.meta.url), "utf8");
      expect(page.replaceAll(/\s+/g, " "), path).toContain(sentence);
    }
  });

  test("where the plugin may have run only if the caller has said that twice does no harm", () => {
    expect(codesTried({ ...POLICY, isIdempotent: true })).toEqual([
      "deadline-exceeded",
      "overloaded",
      "draining",
      "plugin-unavailable",
      "runner-lost",
      "memory-exceeded",
    ]);
  });

  test("where the reply calls it retryable, whatever the table says of its code", () => {
    const failure = failureOf("plugin-error", "", { isRetryable: true });
    expect(retryDelayMs(failure, POLICY, FIRST, 0)).toBeUndefined();
    expect(retryDelayMs(failure, { ...POLICY, isIdempotent: true }, FIRST, 0)).toBe(0);
    const not = failureOf("overloaded", "", { isRetryable: false });
    expect(retryDelayMs(not, { ...POLICY, isIdempotent: true }, FIRST, 0)).toBeUndefined();
  });

  test("without a replica only if the caller waits for one", () => {
    expect(codesTried({ ...POLICY, waitForReplica: true })).toContain("no-responders");
    expect(codesTried({ ...POLICY, isIdempotent: true })).not.toContain("no-responders");
  });

  test("no more often than allowed", () => {
    const failure = failureOf("overloaded", "");
    expect(retryDelayMs(failure, POLICY, { tries: 9, leftMs: 60_000 }, 0)).toBe(0);
    expect(retryDelayMs(failure, POLICY, { tries: 10, leftMs: 60_000 }, 0)).toBeUndefined();
  });
});

describe("the wait before a try", () => {
  test("is never shorter than the reply asks, never beyond the time left, and never twice the same for everyone", () => {
    fc.assert(
      fc.property(
        fc.option(fc.integer({ min: 0, max: 10_000 }), { nil: undefined }),
        fc.integer({ min: 1, max: 9 }),
        fc.double({ min: 0, max: 20_000, noNaN: true }),
        fc.double({ min: 0, max: 0.999_999, noNaN: true }),
        (retryAfterMs, tries, leftMs, random) => {
          const failure: Failure = failureOf("overloaded", "", { retryAfterMs });
          const delayMs = retryDelayMs(failure, POLICY, { tries, leftMs }, random);
          const atMostMs = Math.min(2_000, 50 * 2 ** (tries - 1));
          if (delayMs === undefined) {
            expect((retryAfterMs ?? 0) + random * atMostMs + 1).toBeGreaterThan(leftMs);
          } else {
            expect(delayMs).toBeGreaterThanOrEqual(retryAfterMs ?? 0);
            expect(delayMs).toBeLessThanOrEqual((retryAfterMs ?? 0) + atMostMs);
            expect(delayMs).toBeLessThan(leftMs);
          }
        },
      ),
    );
    const waits = [0, 0.25, 0.5].map((random) => retryDelayMs(failureOf("overloaded", ""), POLICY, FIRST, random));
    expect(waits).toEqual([0, 12.5, 25]);
  });
});

describe("tokens", () => {
  test("bound the retries of a plugin that answers nothing, and of no other", () => {
    const tokens = new RetryTokens();
    const taken = Array.from({ length: 150 }, () => tokens.take("sick")).filter(Boolean);
    expect(taken).toHaveLength(100);
    expect(tokens.take("well")).toBe(true);
  });

  test("come back with answers, one for ten", () => {
    const tokens = new RetryTokens();
    for (let count = 0; count < 100; count += 1) tokens.take("a");
    for (let count = 0; count < 9; count += 1) tokens.giveBack("a");
    expect(tokens.take("a")).toBe(false);
    for (let count = 0; count < 2; count += 1) tokens.giveBack("a");
    expect([tokens.take("a"), tokens.take("a")]).toEqual([true, false]);
  });
});
