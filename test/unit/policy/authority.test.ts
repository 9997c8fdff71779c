import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideAddress } from "../../../src/capabilities/key-value/host/address.ts";
import { decideRequest } from "../../../src/capabilities/outbound-http/host/http-request.ts";
import { bitsFromLevels } from "../../../src/contract/access-levels.ts";
import { DEFAULT_PLUGIN_LIMITS, type PluginLimits } from "../../../src/contract/limits.ts";
import type { BucketName, PluginName } from "../../../src/contract/names.ts";
import { Authority, type Terms } from "../../../src/policy/authority.ts";
import { createPolicy, denyAll } from "../../../src/policy/create-policy.ts";
import { decide } from "../../../src/policy/decide.ts";
import { createEgressRules } from "../../../src/policy/egress-rules.ts";
import { lowerLimits } from "../../../src/policy/limits.ts";
import type { AllowedHost, Policy } from "../../../src/policy/policy.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

const NAME = "p" as PluginName;
const READ = bitsFromLevels(["key-value-read"]);
const ALL = bitsFromLevels(["key-value-read", "key-value-write", "outbound-http"]);

const NAMES = ["a", "b", "c"] as BucketName[];
const HOSTS: readonly AllowedHost[] = [
  "http://*",
  "http://one.example",
  { target: "http://one.example", methods: ["GET"] },
  "http://*.example",
  "http://10.0.0.0/8",
  "http://10.1.0.0/16",
  "http://10.1.2.3",
  "http://0.0.0.0/0",
  "http://localhost",
  "http://127.0.0.0/8",
];
const TARGETS = ["one.example", "two.example", "localhost", "10.1.2.3", "10.9.9.9", "127.0.0.1", "8.8.8.8"];
const ADDRESSES = ["10.1.2.3", "10.1.9.9", "10.9.9.9", "127.0.0.1", "8.8.8.8", "169.254.169.254"];

const policies: fc.Arbitrary<Policy> = fc
  .record({
    allow: fc.integer({ min: 0, max: ALL }),
    private: fc.oneof(fc.constant("any" as const), fc.subarray(NAMES)),
    shared: fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom(...NAMES)),
    hosts: fc.subarray([...HOSTS]),
  })
  .map(({ allow, private: own, shared, hosts }) =>
    createPolicy({
      plugin: NAME,
      allow,
      buckets: { private: own, shared: new Map(Object.entries(shared) as [BucketName, BucketName][]) },
      hosts,
      limits: {},
    }),
  );

const limits: fc.Arbitrary<PluginLimits> = fc
  .record({ valueBytes: fc.integer({ min: 0, max: 9 }), deadlineMs: fc.integer({ min: 1, max: 9 }) })
  .map(withDefaults);

function withDefaults(some: Partial<PluginLimits>): PluginLimits {
  return { ...DEFAULT_PLUGIN_LIMITS, ...some };
}

/** Everything that these terms allow, out of a few operations of each kind. */
function allowedBy(terms: Terms): string[] {
  if (terms.kind === "denied") return [];
  const { grants } = terms;
  const allowed: string[] = [];
  for (const name of NAMES) {
    const decision = decideAddress(grants, terms.limits, name, "k");
    if (decision.kind === "allowed")
      allowed.push(`${name} is ${decision.address.namespace.kind} ${decision.address.bucket}`);
  }
  const [own, ...others] = grants;
  const rules = createEgressRules(own.hosts, ...others.map(({ hosts }) => hosts));
  for (const authority of TARGETS) {
    for (const method of ["GET", "POST"]) {
      const request = { method, scheme: "http", authority, path: "/", fields: [], hasBody: false };
      const times = { connectMs: undefined, firstByteMs: undefined, betweenBytesMs: undefined };
      const decision = decideRequest(rules, terms.limits, { ...request, ...times });
      if (decision.kind === "refused") continue;
      for (const address of ADDRESSES) {
        const { kind } = decision.request.dial.decide(address);
        if (kind === "allowed") allowed.push(`${method} ${authority} at ${address}`);
      }
    }
  }
  return allowed;
}

function versionUnder(policy: Policy, requested: number, own = DEFAULT_PLUGIN_LIMITS): Authority {
  return new Authority({ requested, signers: [], verdict: decide(requested, policy), limits: own });
}

describe("what a version may do", () => {
  test("is what was granted and what every policy since then allows at its time, and never more", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: ALL }),
        policies,
        limits,
        fc.array(fc.tuple(policies, limits), { maxLength: 4 }),
        (requested, granted, own, later) => {
          const version = versionUnder(granted, requested, own);
          const before = allowedBy(version.now);
          for (const [policy, wanted] of later) {
            version.confine(policy, wanted);
            const renewed = allowedBy(versionUnder(policy, requested, wanted).now);
            const both = before.filter((operation) => renewed.includes(operation));
            expect(allowedBy(version.now).toSorted()).toEqual(both.toSorted());
            expect(version.now.limits).toEqual(lowerLimits(own, wanted));
            expect(version.policyRevision).toBe(policy.revision);
          }
        },
      ),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS, numRuns: 500 },
    );
  });

  test("comes back as far as it had it, when the policy is what it was again", () => {
    const policy = createPolicy({ ...denyAll(NAME), allow: READ });
    const version = versionUnder(policy, READ);
    version.confine(denyAll(NAME), DEFAULT_PLUGIN_LIMITS);
    expect(version.now).toMatchObject({ kind: "denied", denial: { missing: READ } });
    version.confine(policy, DEFAULT_PLUGIN_LIMITS);
    expect(version.now).toMatchObject({ kind: "granted", grants: [{ levels: READ }] });
  });

  test("is told to who watches it once for each change, until they no longer do", () => {
    const policy = createPolicy({ ...denyAll(NAME), allow: READ });
    const version = versionUnder(policy, READ);
    let told = 0;
    const unwatch = version.watch(() => (told += 1));
    const { now } = version;
    version.confine(policy, { ...DEFAULT_PLUGIN_LIMITS });
    expect([version.now === now, told]).toEqual([true, 0]);
    version.confine(policy, { ...DEFAULT_PLUGIN_LIMITS, deadlineMs: 1 });
    version.confine(denyAll(NAME), DEFAULT_PLUGIN_LIMITS);
    expect(told).toBe(2);
    unwatch();
    version.confine(policy, DEFAULT_PLUGIN_LIMITS);
    expect(told).toBe(2);
  });
});
