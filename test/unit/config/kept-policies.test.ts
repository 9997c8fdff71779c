import { describe, expect, test } from "vitest";
import { keepPolicies } from "../../../src/config/kept-policies.ts";
import type { PolicyDocument } from "../../../src/config/policy-document.ts";
import type { PolicyFolderReading, UnusablePolicy } from "../../../src/config/policy-folder.ts";
import { PolicySet } from "../../../src/config/policy-set.ts";
import { bitsFromLevels } from "../../../src/contract/access-levels.ts";
import type { PluginName } from "../../../src/contract/names.ts";
import { createPolicy, denyAll } from "../../../src/policy/create-policy.ts";

const READ = bitsFromLevels(["key-value-read"]);
const WRITE = bitsFromLevels(["key-value-write"]);

function policy(name: string, allow: number): PolicyDocument {
  const content = createPolicy({ ...denyAll(name as PluginName), allow });
  return { file: `${name}.yaml`, position: { line: 1, column: 1 }, policy: content };
}

function reading(documents: readonly PolicyDocument[], ...unusable: UnusablePolicy[]): PolicyFolderReading {
  return { kind: "listed", documents, unusable, warnings: [], paths: [] };
}

function unusable(name: string, state: UnusablePolicy["state"]): UnusablePolicy {
  return { path: `${name}.yaml`, plugin: name as PluginName, state, errors: [] };
}

function summary({ policies, kept, denied }: ReturnType<typeof keepPolicies>): Record<string, unknown> {
  const allowed = ["a", "b", "c"].map((name) => [name, policies.policyFor(name as PluginName).allow]);
  return { ...Object.fromEntries(allowed), kept, denied };
}

describe("policies in force, where one's file", () => {
  const last = new PolicySet([policy("a", READ), policy("b", READ)]);

  test.each(["broken", "unreadable"] as const)(
    "is %s: it keeps the last one, and others have their new ones",
    (state) => {
      const now = reading([policy("b", WRITE)], unusable("a", state));
      expect(summary(keepPolicies(now, last))).toEqual({ a: READ, b: WRITE, c: 0, kept: ["a"], denied: [] });
    },
  );

  test.each(["broken", "unreadable"] as const)("is %s and none was read before: it is allowed nothing", (state) => {
    const now = reading([policy("b", READ)], unusable("c", state));
    expect(summary(keepPolicies(now, last))).toEqual({ a: 0, b: READ, c: 0, kept: [], denied: ["c"] });
  });

  test("is gone: it is allowed nothing, and a broken one in its place brings nothing back", () => {
    const gone = keepPolicies(reading([policy("b", READ)]), last);
    expect(summary(gone)).toEqual({ a: 0, b: READ, c: 0, kept: [], denied: [] });
    const link = keepPolicies(reading([policy("b", READ)], unusable("a", "gone")), last);
    expect(summary(link)).toEqual({ a: 0, b: READ, c: 0, kept: [], denied: ["a"] });
    const broken = keepPolicies(reading([policy("b", READ)], unusable("a", "broken")), gone.policies);
    expect(summary(broken)).toEqual({ a: 0, b: READ, c: 0, kept: [], denied: ["a"] });
  });

  test("cannot be known, since the folder cannot be listed: all keep theirs", () => {
    const kept = keepPolicies({ kind: "unlisted", errors: [] }, last);
    expect(summary(kept)).toEqual({ a: READ, b: READ, c: 0, kept: ["a", "b"], denied: [] });
  });
});
