import { describe, expect, test } from "vitest";
import { formatDiagnostic } from "../../../src/config/diagnostic.ts";
import { keepPolicies } from "../../../src/config/kept-policies.ts";
import { parsePolicy } from "../../../src/config/policy-document.ts";
import { PolicySet } from "../../../src/config/policy-set.ts";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import type { PluginName } from "../../../src/contract/names.ts";
import { decide } from "../../../src/policy/decide.ts";
import { p256Key, rsaKey } from "../../harness/signing.ts";

const FILE = "policy/echo.yaml";
const NAME = "echo" as PluginName;

/** As an operator writes it. */
function policyText(...pems: readonly string[]): string {
  const block = (pem: string): string => `  - |\n${pem.trim().replaceAll(/^/gm, "    ")}\n`;
  return `plugin: echo\nsignedBy:\n${pems.map(block).join("")}`;
}

function read(text: string) {
  const parsed = parsePolicy(text, FILE);
  return parsed.kind === "valid" ? parsed.value.policy : parsed.errors.map(formatDiagnostic);
}

describe("signedBy of a policy", () => {
  test("takes several keys, of both kinds, as they are in their files", () => {
    const keys = [p256Key(), rsaKey()].map((key) => key.public);
    expect(read(policyText(...keys.map(({ pem }) => pem)))).toMatchObject({ signedBy: keys });
  });

  test("takes as many keys as allowed and no more", () => {
    const pems = Array.from({ length: FIXED_LIMITS.signatureKeys + 1 }, () => p256Key().public.pem);
    expect(read(policyText(...pems.slice(1)))).toMatchObject({ plugin: "echo" });
    expect(read(policyText(...pems))).toEqual([
      `${FILE}:3:3: signedBy: a list cannot be used; write at most ${FIXED_LIMITS.signatureKeys} keys`,
    ]);
  });

  const key = p256Key();
  test.each([
    [
      "the same key twice, written in two ways",
      policyText(key.public.pem, `${key.public.pem}\n\n`),
      "is in the list twice",
    ],
    ["an empty list, which would mean nothing", "plugin: echo\nsignedBy: []", "write a list of public keys in PEM"],
    ["no value", "plugin: echo\nsignedBy:", "write a list of public keys in PEM"],
    ["the path of a file", "plugin: echo\nsignedBy: [keys/release.pub]", "it is not one public key in PEM"],
    ["a private key", policyText(key.pem), "it is a private key, which belongs to whoever signs"],
  ])("refuses %s", (_, text, problem) => {
    expect(read(text)).toEqual([expect.stringContaining(problem)]);
    expect(JSON.stringify(read(text))).not.toContain(key.pem.slice(28, 48));
  });
});

test.each(["broken", "unreadable"] as const)(
  "a policy that is %s and was never read may demand a signature: no component is good enough until it is repaired",
  (state) => {
    const unusable = { path: FILE, plugin: NAME, state, errors: [] };
    const reading = { kind: "listed", documents: [], unusable: [unusable], warnings: [], paths: [] } as const;
    const { policies } = keepPolicies(reading, new PolicySet([]));
    expect(decide(0, policies.policyFor(NAME))).toMatchObject({ kind: "denied", signature: "missing" });
    const mended = keepPolicies({ ...reading, unusable: [] }, policies).policies;
    expect(decide(0, mended.policyFor(NAME)).kind).toBe("granted");
  },
);
