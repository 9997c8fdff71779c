import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parsePolicy } from "../../../src/config/policy-document.ts";
import { ALL_ACCESS_LEVEL_BITS } from "../../../src/contract/access-levels.ts";
import type { BucketName, PluginName } from "../../../src/contract/names.ts";
import { createPolicy, denyAll, type PolicyContent } from "../../../src/policy/create-policy.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

const PLUGIN = "user-data" as PluginName;
const name = fc.constantFrom(...(["a", "b", "c", "a.b", "10", "9"] as BucketName[]));
const names = fc.uniqueArray(name);
const content: fc.Arbitrary<PolicyContent> = fc.record({
  plugin: fc.constantFrom(...(["a", "b"] as PluginName[])),
  allow: fc.integer({ min: 0, max: ALL_ACCESS_LEVEL_BITS }),
  buckets: fc.record({
    private: fc.oneof(fc.constant("any" as const), names),
    shared: fc.array(fc.tuple(name, name)).map((entries) => new Map(entries)),
  }),
  hosts: fc.uniqueArray(fc.constantFrom("https://a", "https://b", "http://a")),
  limits: fc.constantFrom({}, { deadlineMs: 1 }, { deadlineMs: 2 }, { deadlineMs: 1, logBytes: 2 }),
});

function reversed(policy: PolicyContent): PolicyContent {
  const { buckets, hosts, limits } = policy;
  return {
    ...policy,
    buckets: {
      private: buckets.private === "any" ? "any" : buckets.private.toReversed(),
      shared: new Map([...buckets.shared].toReversed()),
    },
    hosts: hosts.toReversed(),
    limits: Object.fromEntries(Object.entries(limits).toReversed()),
  };
}

function canonical(policy: PolicyContent): unknown {
  const { buckets, hosts, limits, ...rest } = policy;
  const own = buckets.private === "any" ? "any" : new Set(buckets.private);
  return { ...rest, own, shared: buckets.shared, hosts: new Set(hosts), limits };
}

describe("a policy's revision", () => {
  test("does not depend on the order in which things are written", () => {
    fc.assert(
      fc.property(content, (policy) => {
        expect(createPolicy(reversed(policy)).revision).toBe(createPolicy(policy).revision);
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS, numRuns: 2_000 },
    );
  });

  test("differs between two policies that differ in one thing, whichever that is", () => {
    const field = fc.constantFrom("plugin", "allow", "buckets", "hosts", "limits");
    fc.assert(
      fc.property(content, content, field, (one, another, differing) => {
        const other = { ...one, [differing]: another[differing] };
        const same = createPolicy(one).revision === createPolicy(other).revision;
        if (same) expect(canonical(one)).toEqual(canonical(other));
        else expect(canonical(one)).not.toEqual(canonical(other));
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS, numRuns: 5_000 },
    );
  });

  test("is the same for files that differ in comments, style and order alone", () => {
    const revisions = [
      "plugin: user-data\nallow: [key-value-read, key-value-write]\nlimits: { logBytes: 1KiB, deadlineMs: 5 }\n",
      "# comment\nlimits:\n  deadlineMs: 5\n  logBytes: 1024\nallow:\n  - key-value-write\n  - key-value-read\nplugin: 'user-data'\n",
    ].map((text) => {
      const parsed = parsePolicy(text, "policy/user-data.yaml");
      return parsed.kind === "valid" ? parsed.value.policy.revision : parsed.errors;
    });
    expect(revisions[0]).toMatch(/^[0-9a-f]{12}$/);
    expect(revisions[1]).toBe(revisions[0]);
  });
});

test("a policy never holds bits that the contract does not define", () => {
  expect(createPolicy({ ...denyAll(PLUGIN), allow: 0xff }).allow).toBe(ALL_ACCESS_LEVEL_BITS);
});

test("deny-all allows no level, no bucket and no host", () => {
  expect(denyAll(PLUGIN)).toMatchObject({
    plugin: PLUGIN,
    allow: 0,
    buckets: { private: [], shared: new Map() },
    hosts: [],
    limits: {},
  });
});
