import { expect, test } from "vitest";
import { DEFAULT_PLUGIN_LIMITS } from "../../../src/contract/limits.ts";
import { resolveLimits } from "../../../src/policy/limits.ts";

test("a policy's limit goes before the consumer group's, and that before the default", () => {
  expect(resolveLimits({}, {})).toEqual(DEFAULT_PLUGIN_LIMITS);
  expect(resolveLimits({ deadlineMs: 1, concurrency: 2 }, { deadlineMs: 3, valueBytes: 0 })).toEqual({
    ...DEFAULT_PLUGIN_LIMITS,
    deadlineMs: 3,
    concurrency: 2,
    valueBytes: 0,
  });
});
