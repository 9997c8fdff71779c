import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { parseConsumer } from "../../../src/config/consumer-document.ts";
import { parsePolicy } from "../../../src/config/policy-document.ts";
import { LANGUAGES } from "../../../src/project/language.ts";
import { findProject } from "../../../src/project/project.ts";
import { run } from "./run.ts";

let outer: string;
beforeEach(async () => {
  outer = await mkdtemp(join(tmpdir(), "new-"));
});
afterEach(() => rm(outer, { recursive: true }));

describe.each(LANGUAGES)("a new project in %s", (language) => {
  test("is recognised, and has a policy, a consumer file, tests and a README without blanks", async () => {
    const folder = join(outer, "say-hello");
    const { code, stdout, stderr } = await run(["new", language, "say-hello", "--folder", folder]);
    expect([code, stderr]).toEqual([0, expect.stringContaining("network-host build")]);
    expect(await findProject(folder)).toMatchObject({ language });
    const files = stdout
      .trim()
      .split("\n")
      .map((line) => line.slice(line.indexOf("say-hello/") + "say-hello/".length));
    const texts = new Map<string, string>();
    for (const file of files) texts.set(file, await readFile(join(folder, file), "utf8"));
    for (const [file, text] of texts) expect([file, text]).toEqual([file, expect.not.stringMatching(/\{\{/)]);
    const policy = parsePolicy(texts.get("policy/say-hello.yaml") ?? "", "say-hello.yaml");
    expect(policy).toMatchObject({ kind: "valid", warnings: [] });
    const consumer = parseConsumer(texts.get("consumers/default.yaml") ?? "", join(folder, "consumers/default.yaml"));
    expect(consumer).toMatchObject({ kind: "valid", value: { plugins: [{ name: "say-hello" }] } });
    const tests = parse(texts.get("say-hello.test.yaml") ?? "") as { component: string; cases: unknown[] };
    expect(tests.cases).toHaveLength(3);
    const served = consumer.kind === "valid" ? consumer.value.plugins[0]?.component : undefined;
    expect(served).toEqual({ kind: "file", path: join(folder, tests.component) });
    expect(files).toContain(".gitignore");
  });
});

describe("new", () => {
  test("leaves a folder alone that holds something", async () => {
    const folder = join(outer, "taken");
    await mkdir(folder);
    await writeFile(join(folder, "mine.txt"), "");
    const { code, stderr } = await run(["new", "rust", "hello", "--folder", folder]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("is not empty")]);
    expect(await readdir(folder)).toEqual(["mine.txt"]);
  });

  test("says what a folder of packages lacks, and leaves nothing behind", async () => {
    const folder = join(outer, "hello");
    const { code, stderr } = await run(["new", "rust", "hello", "--folder", folder, "--sdk", outer]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("no network-plugin-api-1.0.0.crate in the folder")]);
    expect(await readdir(outer)).toEqual([]);
  });

  test("leaves an empty folder empty where it fails half-way, and makes the project at the next try", async () => {
    const [folder, packages] = [join(outer, "hello"), join(outer, "packed")];
    await mkdir(folder);
    await mkdir(packages);
    await writeFile(join(packages, "network-plugin-api-1.0.0.crate"), "not an archive");
    const args = ["new", "rust", "hello", "--folder", folder];
    expect(await run([...args, "--sdk", packages])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("cannot be unpacked"),
    });
    expect(await readdir(folder)).toEqual([]);
    expect(await run(args)).toMatchObject({ code: 0 });
    expect(await readdir(folder)).toEqual(expect.arrayContaining([".gitignore", "Cargo.toml", "src"]));
    expect((await readdir(folder)).filter((name) => name.startsWith(".new-"))).toEqual([]);
  });

  test("removes the folders above the project, too, that it made before it failed", async () => {
    const folder = join(outer, "far", "away", "hello");
    expect(await run(["new", "rust", "hello", "--folder", folder, "--sdk", outer])).toMatchObject({ code: 2 });
    expect(await readdir(outer)).toEqual([]);
  });

  test.each([
    [["new", "cobol", "hello"], "rust, typescript, python, go, c"],
    [["new", "rust", "Hello"], "write words of a-z"],
    [["new", "rust"], "missing required argument"],
  ])("refuses %j", async (args, advice) => {
    const { code, stderr } = await run(args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(advice)]);
  });
});
