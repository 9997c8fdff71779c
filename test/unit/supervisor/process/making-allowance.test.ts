import { describe, expect, test } from "vitest";
import { FIXED_LIMITS } from "../../../../src/contract/limits.ts";
import { MakingAllowance } from "../../../../src/supervisor/process/making-allowance.ts";

const { instanceMs } = FIXED_LIMITS;

describe("the time for a fresh instance", () => {
  test("is allowed for one instance of a request", () => {
    const allowance = new MakingAllowance();
    for (let calls = 1; calls <= 100; calls += 1) expect(allowance.take(10, calls)).toBe(10);
  });

  test("is no more than the limit, whatever the runner says", () => {
    const allowance = new MakingAllowance();
    expect(allowance.take(10 * instanceMs, 1)).toBe(instanceMs);
  });

  test("needs requests: one that has saved up for thousands has a burst's, and none without one", () => {
    const allowance = new MakingAllowance();
    const calls = 5_000;
    let allowedMs = 0;
    for (let claim = 0; claim < 5_000; claim += 1) allowedMs += allowance.take(instanceMs, calls);
    expect(allowedMs).toBe(16 * instanceMs);
    expect(allowance.take(1, calls)).toBe(0);
  });
});
