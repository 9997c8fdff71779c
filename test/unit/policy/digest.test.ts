import { describe, expect, test } from "vitest";
import { parsePolicy } from "../../../src/config/policy-document.ts";
import type { Digest, PluginName } from "../../../src/contract/names.ts";
import { DEFAULT_PLUGIN_LIMITS } from "../../../src/contract/limits.ts";
import { Authority } from "../../../src/policy/authority.ts";
import { createPolicy, denyAll } from "../../../src/policy/create-policy.ts";
import { decide, describeDenial } from "../../../src/policy/decide.ts";
import { describeNarrowing } from "../../../src/policy/narrowing.ts";

const PLUGIN = "echo" as PluginName;
const [ONE, TWO] = ["1", "2"].map((digit) => digit.repeat(64) as Digest) as [Digest, Digest];
const pinned = (...digests: Digest[]) => createPolicy({ ...denyAll(PLUGIN), digests });

describe("a policy with digests", () => {
  test("grants to the components that it names, and denies every other one and one that is unknown", () => {
    expect(decide(0, pinned(ONE, TWO), [], TWO).kind).toBe("granted");
    for (const digest of [TWO, undefined]) {
      const verdict = decide(0, pinned(ONE), [], digest);
      expect(verdict).toMatchObject({ kind: "denied", missing: 0, digest: "not-allowed" });
      expect(verdict.kind === "denied" && describeDenial(verdict)).toContain("another one");
    }
    expect(decide(0, denyAll(PLUGIN), [], ONE).kind).toBe("granted");
  });

  test("is another revision than one without, whatever the order", () => {
    expect(pinned(ONE, TWO).revision).toBe(pinned(TWO, ONE).revision);
    expect(new Set([denyAll(PLUGIN), pinned(ONE), pinned(TWO)].map(({ revision }) => revision)).size).toBe(3);
  });

  test("ends what a component that it no longer names may do, and gives it back", () => {
    const before = pinned(ONE, TWO);
    const limits = DEFAULT_PLUGIN_LIMITS;
    const verdict = decide(0, before, [], TWO);
    const authority = new Authority({ requested: 0, digest: TWO, signers: [], verdict, limits });
    authority.confine(pinned(ONE), limits);
    expect(authority.now.kind).toBe("denied");
    authority.confine(before, limits);
    expect(authority.now.kind).toBe("granted");
    const wanted = (policy: typeof before) => ({ policy, limits });
    expect(describeNarrowing(wanted(before), wanted(pinned(ONE)))).toEqual([`the component ${TWO.slice(0, 12)}`]);
    expect(describeNarrowing(wanted(denyAll(PLUGIN)), wanted(pinned(ONE)))).toEqual([
      "components that it does not name by digest",
    ]);
    expect(describeNarrowing(wanted(pinned(ONE)), wanted(before))).toEqual([]);
  });
});

describe("the key digest", () => {
  const read = (value: string) => parsePolicy(`plugin: echo\ndigest: ${value}\n`, "echo.yaml");

  test("takes one digest or a list", () => {
    expect(read(`sha256:${ONE}`)).toMatchObject({ kind: "valid", value: { policy: { digests: [ONE] } } });
    expect(read(`[sha256:${ONE}, "sha256:${TWO}"]`)).toMatchObject({ value: { policy: { digests: [ONE, TWO] } } });
  });

  test.each(["[]", "", ONE, `sha512:${ONE}`, `sha256:${ONE.slice(1)}`, `sha256:${"A".repeat(64)}`, "1.0.0"])(
    "refuses %s",
    (value) => {
      expect(read(value).kind).toBe("invalid");
    },
  );
});
