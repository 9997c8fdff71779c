import { describe, expect, test } from "vitest";
import { parsePolicy } from "../../../src/config/policy-document.ts";
import { ALL_ACCESS_LEVEL_BITS, bitsFromLevels } from "../../../src/contract/access-levels.ts";
import type { PluginName } from "../../../src/contract/names.ts";
import { decide } from "../../../src/policy/decide.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import { smallestPolicy } from "../../../src/policy/smallest-policy.ts";

function written(plugin: string, requested: number): Policy {
  const parsed = parsePolicy(smallestPolicy(plugin as PluginName, requested), `policy/${plugin}.yaml`);
  if (parsed.kind === "invalid") throw new Error(JSON.stringify(parsed.errors));
  return parsed.value.policy;
}

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
