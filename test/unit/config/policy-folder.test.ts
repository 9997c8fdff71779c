import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { formatDiagnostic } from "../../../src/config/diagnostic.ts";
import { loadPolicyDir, PolicyFolder, type PolicyFolderReading } from "../../../src/config/policy-folder.ts";
import { bitsFromLevels } from "../../../src/contract/access-levels.ts";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import type { PluginName } from "../../../src/contract/names.ts";
import { denyAll } from "../../../src/policy/create-policy.ts";

describe("loading a policy folder", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "network-host-policy-"));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  async function write(files: Record<string, string>): Promise<void> {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  }

  /** Plugin → the levels that it is allowed, or why its file cannot be used. */
  function summaryOf(reading: PolicyFolderReading): Record<string, unknown> {
    if (reading.kind === "unlisted") return {};
    const unusable = reading.unusable.map(({ plugin, path, state }) => [plugin ?? basename(path), state]);
    const usable = reading.documents.map(({ policy }) => [policy.plugin, policy.allow]);
    return Object.fromEntries([...usable, ...unusable]);
  }

  test("gives each plugin its own policy and denies everything to the rest", async () => {
    await write({ "a.yaml": "plugin: a\nallow: [key-value-read]\n", "b.yaml": "plugin: b\n" });
    const policies = await loadPolicyDir(folder);
    expect(policies.plugins).toEqual(["a", "b"]);
    expect(policies.policyFor("a" as PluginName).allow).toBe(bitsFromLevels(["key-value-read"]));
    expect(policies.policyFor("c" as PluginName)).toEqual(denyAll("c" as PluginName));
  });

  test("takes as many files as allowed and no more", async () => {
    const { policyFiles } = FIXED_LIMITS;
    const names = Array.from({ length: policyFiles }, (_, index) => `p${index}`);
    await write(Object.fromEntries(names.map((name) => [`${name}.yaml`, `plugin: ${name}\n`])));
    expect((await loadPolicyDir(folder)).plugins).toHaveLength(policyFiles);
    await write({ "one-more.yaml": "plugin: one-more\n" });
    await expect(loadPolicyDir(folder)).rejects.toMatchObject({
      code: "config-invalid",
      message: expect.stringContaining(`at most ${policyFiles}`),
    });
  });

  test("that is read again has what changed since, and of each unusable file whose it is and why", async () => {
    await write({ "a.yaml": "plugin: a\n", "b.yaml": "plugin: b\nallow: [key-value-read]\n", "c.yaml": "plugin: c\n" });
    const reader = new PolicyFolder({ folder, presence: "required" });
    expect(summaryOf(await reader.load())).toEqual({ a: 0, b: 1, c: 0 });
    await write({ "b.yaml": "plugin: b\nallow: [outbound-http]\n", "d.yaml": "plugin: d\n" });
    await rm(join(folder, "c.yaml"));
    expect(summaryOf(await reader.load())).toEqual({ a: 0, b: bitsFromLevels(["outbound-http"]), d: 0 });
    await write({ "a.yaml": "plugin: a\nallow: [everything]\n", "no name.yaml": "plugin: a\n" });
    await mkdir(join(folder, "e.yaml"));
    await symlink("nowhere", join(folder, "f.yaml"));
    const unusable = { a: "broken", "no name.yaml": "broken", e: "unreadable", f: "gone" };
    for (let round = 0; round < 2; round++) {
      const reading = await reader.load();
      expect(summaryOf(reading)).toEqual({ b: bitsFromLevels(["outbound-http"]), d: 0, ...unusable });
      // Whatever a file holds, it is watched.
      expect(reading).toMatchObject({
        paths: ["a", "b", "d", "e", "f", "no name"].map((name) => join(folder, `${name}.yaml`)),
      });
    }
    await write({ "a.yaml": "plugin: a\n" });
    expect(summaryOf(await reader.load())).toMatchObject({ a: 0, b: bitsFromLevels(["outbound-http"]), d: 0 });
  });

  test("an empty folder denies everything", async () => {
    const policies = await loadPolicyDir(folder);
    expect(policies.plugins).toEqual([]);
    expect(policies.policyFor("a" as PluginName)).toEqual(denyAll("a" as PluginName));
  });

  test("reports every problem of every file", async () => {
    await write({ "a.yaml": "plugin: a\nalow: []\n", "b.yaml": "plugin: a\n", "c.yaml": "plugin: c\n" });
    await expect(loadPolicyDir(folder)).rejects.toMatchObject({
      code: "config-invalid",
      message: [
        `${folder}/a.yaml:2:1: unknown key "alow"; did you mean "allow"?`,
        `${folder}/b.yaml:1:9: the policy of "a" is in b.yaml; rename the file to a.yaml or correct the name`,
      ].join("\n"),
    });
  });

  test("refuses a second file for a plugin, whatever its extension", async () => {
    await write({ "a.yaml": "plugin: a\n", "a.yml": "plugin: a\n", "A.YAML": "plugin: a\n" });
    await expect(loadPolicyDir(folder)).rejects.toThrow(
      /A\.YAML:1:9: .*rename the file(.|\n)*a\.yml:1:9: .*rename the file/,
    );
  });

  test("leaves hidden files, files that are not YAML and folders alone", async () => {
    await write({ ".a.yaml": "?", "README.md": "?", "a.yaml~": "?", "a.yaml": "plugin: a\n" });
    await mkdir(join(folder, "more"));
    expect((await loadPolicyDir(folder)).plugins).toEqual(["a"]);
  });

  test("refuses a folder that has a policy's name", async () => {
    await mkdir(join(folder, "a.yaml"));
    await expect(loadPolicyDir(folder)).rejects.toThrow(`${folder}/a.yaml:1:1: not a regular file`);
  });

  test("fails where there is no folder, rather than deny everything in silence", async () => {
    await expect(loadPolicyDir(join(folder, "none"))).rejects.toMatchObject({
      code: "config-invalid",
      message: `${folder}/none:1:1: the policy folder cannot be read (it does not exist); an empty folder denies everything`,
    });
  });

  test("warns of policies that no consumer needs and passes on the warnings of files", async () => {
    await write({ "a.yaml": "plugin: a\n", "b.yaml": "plugin: b\nhosts: [https://x.example]\n" });
    const policies = await loadPolicyDir(folder);
    expect(policies.warnings.map(formatDiagnostic)).toEqual([
      `${folder}/b.yaml:2:1: warning: hosts have no effect without outbound-http in allow`,
    ]);
    expect(policies.warnOfUnused(["b" as PluginName]).map(formatDiagnostic)).toEqual([
      `${folder}/a.yaml:1:9: warning: no consumer names the plugin "a"; remove the policy or correct the name`,
    ]);
  });
});
