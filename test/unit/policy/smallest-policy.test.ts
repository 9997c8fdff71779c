import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parsePolicy } from "../../../src/config/policy-document.ts";
import { ALL_ACCESS_LEVEL_BITS, bitsFromLevels } from "../../../src/contract/access-levels.ts";
import type { BucketName, PluginName } from "../../../src/contract/names.ts";
import type { UsedTargets } from "../../../src/contract/used-targets.ts";
import { LIMITABLE_METHODS } from "../../../src/contract/http.ts";
import { allowedHostProblem } from "../../../src/policy/allowed-host.ts";
import { createEgressRules } from "../../../src/policy/egress-rules.ts";
import { parseHttpTarget } from "../../../src/policy/http-target.ts";
import { TargetCounts } from "../../../src/telemetry/target-counts.ts";
import { decide } from "../../../src/policy/decide.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import { smallestPolicy } from "../../../src/policy/smallest-policy.ts";

function written(plugin: string, requested: number, used?: UsedTargets): Policy {
  const parsed = parsePolicy(smallestPolicy(plugin as PluginName, requested, used), `policy/${plugin}.yaml`);
  if (parsed.kind === "invalid") throw new Error(JSON.stringify(parsed.errors));
  return parsed.value.policy;
}

const NOTHING_USED: UsedTargets = {
  privateBuckets: [],
  sharedBuckets: [],
  otherBuckets: 0,
  hosts: [],
  otherHosts: 0,
};

const named = (name: string): BucketName => name as BucketName;

describe("the smallest policy of what was used", () => {
  test("names the shared buckets and the hosts with their methods, and in a comment the private buckets", () => {
    const counts = { reads: 1, writes: 2 };
    const used: UsedTargets = {
      privateBuckets: [
        { name: "user-data", ...counts },
        { name: "42", ...counts },
      ],
      sharedBuckets: [{ name: "orders", bucket: named("team-orders"), ...counts }],
      otherBuckets: 3,
      hosts: [
        { target: "https://api.example.com", methods: ["GET", "POST"], otherMethods: 0, requests: 2, addresses: [] },
        { target: "http://[fd00::1]:8080", methods: ["GET"], otherMethods: 1, requests: 2, addresses: [] },
        { target: "https://a~b.example.com", methods: ["GET"], otherMethods: 0, requests: 1, addresses: [] },
        {
          target: "http://orders.internal:8080",
          methods: ["GET"],
          otherMethods: 0,
          requests: 1,
          addresses: ["10.1.2.3", "fd00::2"],
        },
      ],
      otherHosts: 7,
    };
    expect(smallestPolicy("user-data" as PluginName, ALL_ACCESS_LEVEL_BITS, used)).toBe(`\
# yaml-language-server: $schema=../schemas/policy.schema.json
plugin: user-data
allow: [key-value-read, key-value-write, outbound-http]
# Any private bucket; to allow only those used so far, name them:
buckets:
#   private: [user-data, "42"]
  shared:
    orders: team-orders
# Further buckets, not named here, took 3 operations.
# Those called so far:
hosts:
  - { target: "https://api.example.com", methods: [GET, POST] }
  - "http://[fd00::1]:8080"
  - { target: "http://orders.internal:8080", methods: [GET] }
  # Where that name leads is not of the internet, and has to be named beside it:
  - { target: "http://10.1.2.3:8080", methods: [GET] }
  - { target: "http://[fd00::2]:8080", methods: [GET] }
# "https://a~b.example.com" was called, too: only a pattern allows it.
# Further hosts, not named here, took 7 requests.
`);
    const policy = written("user-data", ALL_ACCESS_LEVEL_BITS, used);
    expect(policy.buckets).toEqual({ private: "any", shared: new Map([["orders", "team-orders"]]) });
    expect(policy.hosts).toEqual([
      { target: "https://api.example.com", methods: ["GET", "POST"] },
      "http://[fd00::1]:8080",
      { target: "http://orders.internal:8080", methods: ["GET"] },
      { target: "http://10.1.2.3:8080", methods: ["GET"] },
      { target: "http://[fd00::2]:8080", methods: ["GET"] },
    ]);
  });

  test("allows to dial where names led, as nothing but the addresses does", () => {
    const target = parseHttpTarget("http", "orders.internal:8080");
    if (target === undefined) throw new Error("no target");
    const counts = new TargetCounts();
    counts.countHost(target.origin, "GET");
    const addresses = ["10.1.2.3", "fd00::2"];
    const dialled = (): string[] => {
      const { hosts } = written("p", bitsFromLevels(["outbound-http"]), counts.used());
      const decision = createEgressRules(hosts).decide(target, "GET");
      if (decision.kind === "refused") throw new Error(decision.reason);
      return ["10.1.2.4", ...addresses].filter((address) => decision.dial.decide(address).kind === "allowed");
    };
    expect(dialled()).toEqual([]);
    for (const address of addresses) counts.noteAddress(target.origin, address);
    expect(dialled()).toEqual(addresses);
  });

  test("allows what was used, whatever is asked for by whichever method", () => {
    const authority = fc.oneof(
      fc.domain(),
      fc.ipV4(),
      fc.ipV6().map((address) => `[${address}]`),
      fc.stringMatching(/^[a-z0-9._~-]{1,20}$/),
    );
    const port = fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined });
    const methods = fc.uniqueArray(fc.constantFrom(...LIMITABLE_METHODS, "PROPFIND"), { minLength: 1 });
    fc.assert(
      fc.property(fc.constantFrom("http", "https"), authority, port, methods, (scheme, host, number, asked) => {
        const target = parseHttpTarget(scheme, number === undefined ? host : `${host}:${number}`);
        if (target === undefined) return;
        const counts = new TargetCounts();
        for (const method of asked) counts.countHost(target.origin, method);
        const { hosts } = written("p", bitsFromLevels(["outbound-http"]), counts.used());
        if (allowedHostProblem(target.origin) !== undefined) {
          expect(hosts).toEqual([]);
          return;
        }
        const rules = createEgressRules(hosts);
        for (const method of asked) expect(rules.decide(target, method).kind).toBe("allowed");
        if (!asked.includes("PROPFIND") && !asked.includes("GET"))
          expect(rules.decide(target, "GET").kind).toBe("refused");
      }),
      { interruptAfterTimeLimit: 2_000, markInterruptAsFailure: false },
    );
  });

  test("holds nothing of a hostile name but a comment in one line", () => {
    const target = 'https://evil\nallow: [outbound-http]\u2028\u202e"\u0085#';
    const used = { ...NOTHING_USED, hosts: [{ target, methods: [], otherMethods: 1, requests: 1, addresses: [] }] };
    const text = smallestPolicy("p" as PluginName, bitsFromLevels(["outbound-http"]), used);
    expect(text).toMatch(/^[\x20-\x7e\n]*$/);
    expect(text.split("\n").filter((line) => line.includes("evil"))).toEqual([
      String.raw`# "https://evil\nallow: [outbound-http]\u2028\u202e\"\u0085#" was called, too: only a pattern allows it.`,
    ]);
    expect(written("p", bitsFromLevels(["outbound-http"]), used).hosts).toEqual([]);
  });

  test("is that of the levels alone where nothing was used", () => {
    const plugin = "p" as PluginName;
    expect(smallestPolicy(plugin, ALL_ACCESS_LEVEL_BITS, NOTHING_USED)).toBe(
      smallestPolicy(plugin, ALL_ACCESS_LEVEL_BITS),
    );
  });
});

describe("the smallest policy", () => {
  test("is written for people to read and edit", () => {
    const requested = bitsFromLevels(["key-value-read", "outbound-http"]);
    expect(smallestPolicy("user-data" as PluginName, requested)).toBe(`\
# yaml-language-server: $schema=../schemas/policy.schema.json
plugin: user-data
allow: [key-value-read, outbound-http]
# Any private bucket; to allow only some, name them:
# buckets:
#   private: [user-data]
# No host yet; name those that the plugin may call: [https://api.example.com]
hosts: []
`);
  });

  test("of every set of levels allows exactly that set", () => {
    for (let requested = 0; requested <= ALL_ACCESS_LEVEL_BITS; requested++) {
      const policy = written("user-data", requested);
      expect(policy.allow).toBe(requested);
      expect(decide(requested, policy).kind).toBe("granted");
    }
  });

  test.each(["true", "null", "42", "1e5", "0x1f", "0o17", "3com", "y", "no"])(
    "names the plugin %s as a text",
    (plugin) => {
      expect(written(plugin, 0).plugin).toBe(plugin);
    },
  );

  test("says that no policy can allow an unknown level", () => {
    expect(smallestPolicy("echo" as PluginName, 0b10_0000)).toContain("unknown level (bit 5). No policy can allow it");
    expect(decide(0b10_0001, written("echo", 0b10_0001)).kind).toBe("denied");
  });
});
