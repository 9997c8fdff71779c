import { describe, expect, test } from "vitest";
import { bitsFromLevels } from "../../../src/contract/access-levels.ts";
import { DEFAULT_PLUGIN_LIMITS } from "../../../src/contract/limits.ts";
import type { BucketName, PluginName } from "../../../src/contract/names.ts";
import { createPolicy, denyAll, type PolicyContent } from "../../../src/policy/create-policy.ts";
import { describeNarrowing, type Wanted } from "../../../src/policy/narrowing.ts";

const [A, B] = ["a", "b"] as [BucketName, BucketName];

function wanted(change: Partial<PolicyContent>, limits: Partial<Wanted["limits"]> = {}): Wanted {
  const policy = createPolicy({
    ...denyAll("p" as PluginName),
    allow: bitsFromLevels(["key-value-read", "key-value-write"]),
    buckets: { private: "any", shared: new Map([[A, B]]) },
    hosts: ["https://a.example", { target: "https://b.example", methods: ["HEAD", "GET"] }],
    ...change,
  });
  return { policy, limits: { ...DEFAULT_PLUGIN_LIMITS, ...limits } };
}

describe("what a change takes away", () => {
  test("is nothing where it only gives", () => {
    const less = wanted({ allow: 0, buckets: { private: [], shared: new Map() }, hosts: [] }, { deadlineMs: 1 });
    expect(describeNarrowing(less, wanted({}))).toEqual([]);
    expect(describeNarrowing(wanted({}), wanted({}))).toEqual([]);
  });

  test.each([
    ["levels", { allow: bitsFromLevels(["key-value-read"]) }, ["key-value-write"]],
    [
      "all private buckets but some",
      { buckets: { private: [A], shared: new Map([[A, B]]) } },
      ["private buckets but a"],
    ],
    ["all private buckets", { buckets: { private: [], shared: new Map([[A, B]]) } }, ["all private buckets"]],
    ["a shared bucket", { buckets: { private: "any" as const, shared: new Map() } }, ["shared bucket b as a"]],
    [
      "what a shared name stands for",
      { buckets: { private: "any" as const, shared: new Map([[A, A]]) } },
      ["shared bucket b as a"],
    ],
    [
      "hosts and methods",
      { hosts: [{ target: "https://b.example", methods: ["GET" as const] }] },
      ["host https://a.example", "host https://b.example (GET, HEAD)"],
    ],
  ])("names %s", (_what, change, taken) => {
    expect(describeNarrowing(wanted({}), wanted(change))).toEqual(taken);
  });

  test("names single private buckets and lower limits, and which of those wait for a process", () => {
    const before = wanted({ buckets: { private: [A, B], shared: new Map() } });
    const after = wanted({ buckets: { private: [B], shared: new Map() } }, { memoryBytes: 65_536, deadlineMs: 7 });
    expect(describeNarrowing(before, after)).toEqual([
      "private bucket a",
      `memoryBytes from ${DEFAULT_PLUGIN_LIMITS.memoryBytes} to 65536 (next process)`,
      `deadlineMs from ${DEFAULT_PLUGIN_LIMITS.deadlineMs} to 7`,
    ]);
  });
});
