import { describe, expect, test } from "vitest";
import { FIXED_LIMITS } from "../../../../src/contract/limits.ts";
import { MakingAllowance } from "../../../../src/supervisor/process/making-allowance.ts";

const { instanceMs } = FIXED_LIMITS;

describe("the time for a fresh instance", () => {
  test("is allowed for one instance of a request", () => {
    const allowance = new MakingAllowance();
    for (let call = 0; call < 100; call += 1) {
      allowance.noteCall();
      expect(allowance.take(10)).toBe(10);
    }
  });

  test("is no more than the limit, whatever the runner says", () => {
    const allowance = new MakingAllowance();
    allowance.noteCall();
    expect(allowance.take(10 * instanceMs)).toBe(instanceMs);
  });

  test("needs requests: one that has saved up for thousands has a burst's, and none without one", () => {
    const allowance = new MakingAllowance();
    for (let call = 0; call < 5_000; call += 1) allowance.noteCall();
    let allowedMs = 0;
    for (let claim = 0; claim < 5_000; claim += 1) allowedMs += allowance.take(instanceMs);
    expect(allowedMs).toBe(16 * instanceMs);
    expect(allowance.take(1)).toBe(0);
  });
});
