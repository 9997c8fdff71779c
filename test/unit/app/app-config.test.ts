import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ConfigReader, planOf, type ReplicaConfig, type ReplicaFiles } from "../../../src/app-config.ts";
import { bitsFromLevels } from "../../../src/contract/access-levels.ts";
import { digestOf } from "../../../src/contract/digest.ts";
import type { PluginName } from "../../../src/contract/names.ts";

const READ = bitsFromLevels(["key-value-read"]);
const WRITE = bitsFromLevels(["key-value-write"]);

describe("the files of a replica", () => {
  let folder: string;
  let consumerFile: string;
  let policyDir: string;
  let files: ReplicaFiles;
  let reader: ConfigReader;
  let contents: Map<string, string>;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "app-config-"));
    consumerFile = join(folder, "consumer.yaml");
    policyDir = join(folder, "policy");
    files = {
      consumer: { kind: "file", path: consumerFile },
      policy: { folder: policyDir, presence: "required" },
    };
    await mkdir(policyDir);
    contents = new Map();
    reader = new ConfigReader(files, (path, digest) => contents.set(path, digest));
    await write(
      "consumer.yaml",
      "group: g\nplugins: [{ name: a, component: a.wasm }, { name: b, component: b.wasm }]\n",
    );
    await write("policy/a.yaml", "plugin: a\nallow: [key-value-read]\n");
    await write("policy/b.yaml", "plugin: b\nallow: [key-value-read]\n");
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  async function write(path: string, text: string): Promise<void> {
    await writeFile(join(folder, path), text);
  }

  /** Plugin → the levels that its policy allows. */
  function plan(config: ReplicaConfig): Record<string, number> {
    return Object.fromEntries(
      planOf(config, { ...files, cacheDir: folder }).specs.map(({ name, policy }) => [name, policy.allow]),
    );
  }

  test("must all be valid at the start, and every problem of each is told", async () => {
    await write("consumer.yaml", "grup: g\n");
    await write("policy/a.yaml", "plugin: a\nalow: []\n");
    await expect(reader.read()).rejects.toMatchObject({
      code: "config-invalid",
      message: expect.stringMatching(/consumer\.yaml:1:1: (.|\n)*a\.yaml:2:1: /),
    });
  });

  test("are all watched, whatever they hold, and asked for again while one cannot be used", async () => {
    expect(planOf(await reader.read(), { ...files, cacheDir: folder }).state).toBe("current");
    await write("policy/c.yaml", "plugin: c\nalow: []\n");
    await mkdir(join(policyDir, "d.yaml"));
    const { watched, state } = planOf(await reader.read(), { ...files, cacheDir: folder });
    const policies = ["a", "b", "c", "d"].map((name) => join(policyDir, `${name}.yaml`));
    expect(watched).toEqual([consumerFile, policyDir, ...policies]);
    expect(state).toBe("stale");
    await rm(policyDir, { recursive: true });
    // Where the folder cannot be listed, those that were known are watched on.
    expect(planOf(await reader.read(), { ...files, cacheDir: folder }).watched).toEqual(watched);
  });

  test("do not hold up each other", async () => {
    await reader.read();
    await write("policy/a.yaml", "plugin: a\nalow: []\n");
    await write("policy/b.yaml", "plugin: b\nallow: [key-value-write]\n");
    await write("consumer.yaml", "group: g\nplugins: [\n");
    const config = await reader.read();
    expect(plan(config)).toEqual({ a: READ, b: WRITE });
    expect(config).toMatchObject({ kept: ["a"], denied: [], problems: [{}, {}] });
    await write("policy/a.yaml", "plugin: a\nallow: []\n");
    await write("consumer.yaml", "group: g\nplugins: [{ name: a, component: a.wasm }]\n");
    expect(plan(await reader.read())).toEqual({ a: 0 });
  });

  test("are counted while they cannot be used, each once, however much is wrong with it", async () => {
    await reader.read();
    expect(reader.unusableFiles).toBe(0);
    await write("policy/a.yaml", "plugin: a\nalow: []\nalso: 1\n");
    await reader.read();
    expect(reader.unusableFiles).toBe(1);
    await write("policy/b.yaml", "plugin: b\nalow: []\n");
    await reader.read();
    expect(reader.unusableFiles).toBe(2);
    await write("policy/a.yaml", "plugin: a\nallow: []\n");
    await write("policy/b.yaml", "plugin: b\nallow: []\n");
    await reader.read();
    expect(reader.unusableFiles).toBe(0);
  });

  test("that are gone allow nothing", async () => {
    await reader.read();
    await rm(join(policyDir, "a.yaml"));
    const config = await reader.read();
    expect(plan(config)).toEqual({ a: 0, b: READ });
    expect(config.problems).toEqual([]);
  });

  test("are told apart by what was read of them", async () => {
    await reader.read();
    const path = join(policyDir, "a.yaml");
    expect(contents.get(path)).toBe(digestOf("plugin: a\nallow: [key-value-read]\n"));
    await write("policy/a.yaml", "plugin: a\nalow: []\n");
    await reader.read([path]);
    expect(contents.get(path)).toBe(digestOf("plugin: a\nalow: []\n"));
  });
});

describe("plugins without a consumer file", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "app-config-"));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  function filesOf(presence: "required" | "optional"): ReplicaFiles {
    const plugins = [{ name: "a" as PluginName, component: "/somewhere/a.wasm" }];
    return { consumer: { kind: "plugins", plugins }, policy: { folder: join(folder, "policy"), presence } };
  }

  test("are allowed nothing where there is no policy folder, and what a policy says once there is one", async () => {
    const files = filesOf("optional");
    const reader = new ConfigReader(files);
    const { specs, watched, state } = planOf(await reader.read(), { ...files, cacheDir: folder });
    expect(specs).toMatchObject([{ name: "a", componentPath: "/somewhere/a.wasm", policy: { allow: 0, hosts: [] } }]);
    expect([watched, state]).toEqual([[join(folder, "policy")], "current"]);
    await mkdir(join(folder, "policy"));
    await writeFile(join(folder, "policy/a.yaml"), "plugin: a\nallow: [key-value-read]\n");
    expect(planOf(await reader.read(), { ...files, cacheDir: folder }).specs).toMatchObject([
      { policy: { allow: READ } },
    ]);
  });

  test("need a policy folder that was named", async () => {
    await expect(new ConfigReader(filesOf("required")).read()).rejects.toMatchObject({ code: "config-invalid" });
  });
});
