import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ACCESS_LEVELS, ALL_ACCESS_LEVEL_BITS, bitsFromLevels } from "../../../src/contract/access-levels.ts";
import type { BucketName, PluginName } from "../../../src/contract/names.ts";
import { createPolicy, denyAll } from "../../../src/policy/create-policy.ts";
import { decide, describeDenial, describeLevels } from "../../../src/policy/decide.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

const PLUGIN = "user-data" as PluginName;
const BUCKET = "user-data" as BucketName;
const READ = bitsFromLevels(["key-value-read"]);
const WRITE = bitsFromLevels(["key-value-write"]);
const HTTP = bitsFromLevels(["outbound-http"]);
const TIME_BUDGET = { interruptAfterTimeLimit: PROPERTY_TIME_MS, numRuns: 5_000 };

function policy(allow: number): Policy {
  return createPolicy({
    plugin: PLUGIN,
    allow,
    buckets: { private: [BUCKET], shared: new Map() },
    hosts: ["https://api.example.com"],
    limits: {},
  });
}

const anyBits = fc.oneof(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: 0xffff_ffff }));

describe("the decision on a plugin", () => {
  test("grants what is requested and no more, with the policy's parameters", () => {
    const allowed = policy(READ | WRITE);
    expect(decide(READ, allowed)).toEqual({
      kind: "granted",
      grant: {
        plugin: PLUGIN,
        levels: READ,
        buckets: allowed.buckets,
        hosts: allowed.hosts,
        policyRevision: allowed.revision,
      },
    });
  });

  test("denies the whole plugin and names what is missing", () => {
    const allowed = policy(READ);
    const verdict = decide(READ | WRITE | HTTP, allowed);
    expect(verdict).toEqual({
      kind: "denied",
      requested: READ | WRITE | HTTP,
      missing: WRITE | HTTP,
      signature: "sufficient",
      policyRevision: allowed.revision,
    });
    if (verdict.kind !== "denied") return;
    expect(describeDenial(verdict)).toBe(
      "The plugin requests key-value-write, outbound-http, which the policy does not allow.",
    );
  });

  test("for all 64 pairs of requested and allowed levels is granted exactly where none is missing", () => {
    for (let requested = 0; requested <= ALL_ACCESS_LEVEL_BITS; requested++) {
      for (let allow = 0; allow <= ALL_ACCESS_LEVEL_BITS; allow++) {
        const missing = ACCESS_LEVELS.filter((_, bit) => (requested >> bit) % 2 === 1 && (allow >> bit) % 2 === 0);
        expect(decide(requested, policy(allow))).toMatchObject(
          missing.length === 0
            ? { kind: "granted", grant: { levels: requested } }
            : { kind: "denied", missing: bitsFromLevels(missing) },
        );
      }
    }
  });

  test("without a policy grants a plugin that requests nothing, with nothing, and denies any other", () => {
    expect(decide(0, denyAll(PLUGIN))).toMatchObject({
      kind: "granted",
      grant: { levels: 0, buckets: { private: [] }, hosts: [] },
    });
    fc.assert(
      fc.property(anyBits, (requested) => requested === 0 || decide(requested, denyAll(PLUGIN)).kind === "denied"),
      TIME_BUDGET,
    );
  });

  test("grants only levels that are requested, allowed and known", () => {
    fc.assert(
      fc.property(anyBits, anyBits, (requested, allow) => {
        const verdict = decide(requested, policy(allow));
        if (verdict.kind === "denied") {
          expect(verdict.missing).toBeGreaterThan(0);
          expect((verdict.missing & requested) >>> 0).toBe(verdict.missing);
        } else {
          expect(verdict.grant.levels & ~requested).toBe(0);
          expect(verdict.grant.levels & ~allow).toBe(0);
          expect(verdict.grant.levels & ~ALL_ACCESS_LEVEL_BITS).toBe(0);
        }
      }),
      TIME_BUDGET,
    );
  });

  test("denies every request with a bit that the contract does not define, whatever is allowed", () => {
    fc.assert(
      fc.property(anyBits, fc.integer({ min: 3, max: 31 }), anyBits, (requested, bit, allow) => {
        const verdict = decide((requested | (1 << bit)) >>> 0, policy(allow));
        expect(verdict).toMatchObject({ kind: "denied" });
      }),
      TIME_BUDGET,
    );
  });

  test("never grants more when a level is taken from what is allowed", () => {
    const level = fc.constantFrom(READ, WRITE, HTTP);
    fc.assert(
      fc.property(anyBits, anyBits, level, (requested, allow, taken) => {
        const before = decide(requested, policy(allow));
        const after = decide(requested, policy(allow & ~taken));
        if (after.kind === "denied") return;
        expect(before.kind).toBe("granted");
        if (before.kind === "granted") expect(after.grant.levels & ~before.grant.levels).toBe(0);
      }),
      TIME_BUDGET,
    );
  });

  test.each([-1, 0.5, 2 ** 32, Number.NaN, Number.POSITIVE_INFINITY])(
    "does not take %d for a set of levels",
    (bits) => {
      expect(() => decide(bits, policy(ALL_ACCESS_LEVEL_BITS))).toThrow(expect.objectContaining({ code: "internal" }));
    },
  );
});

test("levels are named in the contract's order, unknown ones by their bit", () => {
  expect(describeLevels(0)).toEqual([]);
  expect(describeLevels(HTTP | READ)).toEqual(["key-value-read", "outbound-http"]);
  expect(describeLevels((2 ** 31 + 0b1001) >>> 0)).toEqual([
    "key-value-read",
    "unknown level (bit 3)",
    "unknown level (bit 31)",
  ]);
});
