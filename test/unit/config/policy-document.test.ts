import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatDiagnostic } from "../../../src/config/diagnostic.ts";
import { parsePolicy, type PolicyDocument } from "../../../src/config/policy-document.ts";
import { type AccessLevel, bitsFromLevels } from "../../../src/contract/access-levels.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

const FILE = "policy/user-data.yaml";

function valid(text: string): { document: PolicyDocument; warnings: string[] } {
  const parsed = parsePolicy(text, FILE);
  if (parsed.kind === "invalid") throw new Error(parsed.errors.map(formatDiagnostic).join("\n"));
  return { document: parsed.value, warnings: parsed.warnings.map(formatDiagnostic) };
}

function errorsOf(text: string, file = FILE): string[] {
  const parsed = parsePolicy(text, file);
  return parsed.kind === "invalid" ? parsed.errors.map(formatDiagnostic) : [];
}

describe("a policy file", () => {
  test("with every key becomes a policy", () => {
    const { document, warnings } = valid(`
plugin: user-data
allow: [key-value-read, outbound-http]
buckets:
  private: [user-data]
  shared: { orders: team-orders }
hosts: [https://api.example.com, "*://*.example.com:8000..8010"]
limits: { deadlineMs: 2000, payloadBytes: 2MiB, valueBytes: 0 }
`);
    expect(warnings).toEqual([]);
    expect(document.position).toEqual({ line: 2, column: 9 });
    expect(document.policy).toEqual({
      plugin: "user-data",
      allow: bitsFromLevels(["key-value-read", "outbound-http"]),
      buckets: { private: ["user-data"], shared: new Map([["orders", "team-orders"]]) },
      hosts: ["https://api.example.com", "*://*.example.com:8000..8010"],
      limits: { deadlineMs: 2_000, payloadBytes: 2 * 1024 * 1024, valueBytes: 0 },
      revision: expect.stringMatching(/^[0-9a-f]{12}$/) as string,
    });
  });

  test("that names only its plugin allows no level and no host", () => {
    const { policy } = valid("plugin: user-data").document;
    expect(policy.allow).toBe(0);
    expect(policy.hosts).toEqual([]);
    expect(policy.buckets).toEqual({ private: "any", shared: new Map() });
  });

  test("with empty lists allows nothing, private buckets included", () => {
    const { policy } = valid("plugin: user-data\nallow: []\nbuckets: { private: [], shared: {} }\nhosts: []").document;
    expect(policy.allow).toBe(0);
    expect(policy.buckets).toEqual({ private: [], shared: new Map() });
  });

  test.each([
    ["an unknown key", "alow: []", '2:1: unknown key "alow"; did you mean "allow"?'],
    [
      "a key far from any",
      "zebra: 1",
      '2:1: unknown key "zebra"; the keys here are plugin, allow, buckets, hosts, digest, signedBy, limits',
    ],
    [
      "a misspelt level",
      "allow: [key-value-raed]",
      '2:9: allow[0]: "key-value-raed" cannot be used; did you mean "key-value-read"?',
    ],
    [
      "a level that is not a level",
      "allow: [everything]",
      '2:9: allow[0]: "everything" cannot be used; write one of key-value-read',
    ],
    ["a level given twice", "allow: [outbound-http, outbound-http]", "2:24: allow[1]:"],
    ["a lone level", "allow: outbound-http", '2:8: allow: "outbound-http" cannot be used; write a list of'],
    ["a key without a value", "allow:", "2:7: allow is empty; write a list of"],
    ["a bucket policy in a word", "buckets: any", '2:10: buckets: "any" cannot be used; write `private:`'],
    ["a misspelt any", "buckets: { private: all }", '2:21: buckets.private: "all" cannot be used; write "any"'],
    ["a bad private bucket", "buckets: { private: [a b] }", '2:22: buckets.private[0]: "a b" cannot be used'],
    [
      "a bad name for a shared bucket",
      "buckets: { shared: { a/b: c } }",
      "2:22: buckets.shared.a/b: the key cannot be used",
    ],
    ["a bad shared bucket", "buckets: { shared: { a: $c } }", '2:25: buckets.shared.a: "$c" cannot be used'],
    [
      "a name both private and shared",
      "buckets: { private: [a], shared: { a: b } }",
      '2:22: buckets.private[0]: "a" cannot be used',
    ],
    [
      "a host with a path",
      "hosts: [https://a.example/x]",
      '2:9: hosts[0]: "https://a.example/x" cannot be used; remove "/x"',
    ],
    [
      "a limit below its range",
      "limits: { deadlineMs: 0 }",
      "2:23: limits.deadlineMs: 0 cannot be used; write a whole number of milliseconds from 1 to 600000",
    ],
    [
      "a limit above its range",
      "limits: { payloadBytes: 17MiB }",
      '2:25: limits.payloadBytes: "17MiB" cannot be used; write a number of bytes',
    ],
    [
      "a fraction",
      "limits: { concurrency: 1.5 }",
      "2:24: limits.concurrency: 1.5 cannot be used; write a whole number from 1 to 4096",
    ],
    [
      "a size of an unknown unit",
      "limits: { logBytes: 1MB }",
      '2:21: limits.logBytes: "1MB" cannot be used; write a number of bytes, or a size such as 64KiB',
    ],
    [
      "a misspelt limit",
      "limits: { deadline: 5 }",
      '2:11: unknown key "deadline" in limits; did you mean "deadlineMs"?',
    ],
  ])("with %s is refused with the place and what to write", (_, line, message) => {
    expect(errorsOf(`plugin: user-data\n${line}\n`)).toEqual([expect.stringContaining(`${FILE}:${message}`)]);
  });

  test("tells all its problems at once, in the order of the file", () => {
    const errors = errorsOf("plugin: User\nalow: []\nhosts: [x]\nlimits: { deadlineMs: -1 }\nhosts: []\n");
    expect(errors.map((line) => line.split(":")[1])).toEqual(["1", "1", "2", "4", "5"]);
  });

  test("must be named after its plugin", () => {
    expect(errorsOf("plugin: user-data", "policy/users.yaml")).toEqual([
      'policy/users.yaml:1:9: the policy of "user-data" is in users.yaml; rename the file to user-data.yaml or correct the name',
    ]);
    expect(errorsOf("plugin: user-data", "policy/user-data.yml")).toHaveLength(1);
  });

  test("that is empty says what to begin with", () => {
    const message = `${FILE}:1:1: the file is empty; write at least \`plugin: <name>\``;
    expect(errorsOf("")).toEqual([message]);
    expect(errorsOf("# nothing yet\n")).toEqual([expect.stringContaining("the file is empty")]);
  });

  test.each([
    ["hosts without outbound-http", "hosts: [https://a.example]", "2:1: warning: hosts have no effect"],
    ["outbound-http without hosts", "allow: [outbound-http]", "2:1: warning: outbound-http reaches nothing"],
    ["buckets without a key-value level", "buckets: {}", "2:1: warning: buckets have no effect"],
  ])("with %s is valid and draws a warning", (_, line, message) => {
    expect(valid(`plugin: user-data\n${line}\n`).warnings).toEqual([expect.stringContaining(`${FILE}:${message}`)]);
  });

  test("never allows what its text does not name, whatever the text", () => {
    const key = fc.constantFrom("allow", "hosts", "buckets", "limits", "alow", "Allow", "__proto__", "constructor");
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom(["key-value-read"], ["outbound-http"], "any", null));
    fc.assert(
      fc.property(fc.dictionary(key, value), (fields) => {
        const parsed = parsePolicy(JSON.stringify({ plugin: "user-data", ...fields }), FILE);
        if (parsed.kind === "invalid") {
          expect(parsed.errors.length).toBeGreaterThan(0);
          return;
        }
        const allow = Object.hasOwn(fields, "allow") ? (fields["allow"] as AccessLevel[]) : [];
        expect(parsed.value.policy.allow).toBe(bitsFromLevels(allow));
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS, numRuns: 2_000 },
    );
  });
});
