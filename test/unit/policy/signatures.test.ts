import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ALL_ACCESS_LEVEL_BITS, bitsFromLevels } from "../../../src/contract/access-levels.ts";
import { digestOf, shortDigest } from "../../../src/contract/digest.ts";
import { DEFAULT_PLUGIN_LIMITS } from "../../../src/contract/limits.ts";
import type { PluginName } from "../../../src/contract/names.ts";
import { Authority } from "../../../src/policy/authority.ts";
import { createPolicy, denyAll, refuseAll } from "../../../src/policy/create-policy.ts";
import { decide, describeDenial } from "../../../src/policy/decide.ts";
import { describeNarrowing } from "../../../src/policy/narrowing.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

const NAME = "echo" as PluginName;
const READ = bitsFromLevels(["key-value-read"]);
const KEYS = ["old", "new", "other"].map((name) => ({ id: digestOf(name), pem: name }));
const [OLD, NEW] = KEYS as [(typeof KEYS)[0], (typeof KEYS)[0]];
const UNSIGNED = "None of the keys that the policy names has signed the component.";

function signedBy(...keys: typeof KEYS): Policy {
  return createPolicy({ ...denyAll(NAME), allow: READ, signedBy: keys });
}

describe("a policy that names keys", () => {
  test("grants where one of them has signed, and denies everything else, whatever is requested", () => {
    const someKeys = fc.subarray(KEYS);
    fc.assert(
      fc.property(
        someKeys,
        someKeys,
        fc.integer({ min: 0, max: ALL_ACCESS_LEVEL_BITS }),
        (wanted, signers, requested) => {
          const ids = signers.map(({ id }) => id);
          const verdict = decide(requested, signedBy(...wanted), ids);
          const isSigned = wanted.some(({ id }) => ids.includes(id));
          expect(verdict.kind).toBe(isSigned && (requested & ~READ) === 0 ? "granted" : "denied");
          if (verdict.kind === "denied") expect(verdict.signature).toBe(isSigned ? "sufficient" : "missing");
        },
      ),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS, numRuns: 2_000 },
    );
  });

  test("denies a component of which nothing is known", () => {
    expect(decide(0, signedBy(OLD))).toMatchObject({ kind: "denied", missing: 0, signature: "missing" });
    expect(decide(0, refuseAll(NAME), [OLD.id])).toMatchObject({ kind: "denied" });
  });

  test("says in a reply what is missing, without naming a key", () => {
    const texts = [decide(READ, signedBy(OLD)), decide(READ | (1 << 2), signedBy(OLD))].map((verdict) =>
      verdict.kind === "denied" ? describeDenial(verdict) : "",
    );
    expect(texts).toEqual([
      UNSIGNED,
      `The plugin requests outbound-http, which the policy does not allow. ${UNSIGNED}`,
    ]);
  });

  test("has another revision with other keys, and the same one in another order", () => {
    expect(signedBy(OLD, NEW).revision).toBe(signedBy(NEW, OLD).revision);
    const without = createPolicy({ ...denyAll(NAME), allow: READ });
    const revisions = [signedBy(OLD, NEW), signedBy(OLD), signedBy(NEW), signedBy(), without].map((p) => p.revision);
    expect(new Set(revisions).size).toBe(revisions.length);
  });
});

describe("a version that a key has signed", () => {
  const version = (signers = [OLD.id]): Authority => {
    const policy = signedBy(OLD);
    return new Authority({
      requested: READ,
      signers,
      verdict: decide(READ, policy, [OLD.id]),
      limits: DEFAULT_PLUGIN_LIMITS,
    });
  };

  test("goes on while its key is among those that are named, and without a demand", () => {
    const serving = version();
    for (const policy of [signedBy(OLD, NEW), createPolicy({ ...denyAll(NAME), allow: READ })]) {
      serving.confine(policy, DEFAULT_PLUGIN_LIMITS);
      expect(serving.now.kind).toBe("granted");
    }
  });

  test("is denied at once when its key is no longer named", () => {
    const serving = version();
    serving.confine(signedBy(NEW), DEFAULT_PLUGIN_LIMITS);
    expect(serving.now).toMatchObject({ kind: "denied", denial: { missing: 0, signature: "missing" } });
  });

  test("outlives the change of keys if the new one has signed before", () => {
    const serving = version([OLD.id, NEW.id]);
    serving.confine(signedBy(NEW), DEFAULT_PLUGIN_LIMITS);
    expect(serving.now.kind).toBe("granted");
  });
});

test("what a change of keys takes away is named by the key, and a first demand as what it is", () => {
  const taken = (before: Policy, now: Policy) =>
    describeNarrowing(
      { policy: before, limits: DEFAULT_PLUGIN_LIMITS },
      { policy: now, limits: DEFAULT_PLUGIN_LIMITS },
    );
  const without = createPolicy({ ...denyAll(NAME), allow: READ });
  expect(taken(signedBy(OLD), signedBy(OLD, NEW))).toEqual([]);
  expect(taken(signedBy(OLD), without)).toEqual([]);
  expect(taken(signedBy(OLD, NEW), signedBy(NEW))).toEqual([`signatures by the key ${shortDigest(OLD.id)}`]);
  expect(taken(without, signedBy(OLD))).toEqual(["components that none of its keys has signed"]);
});
