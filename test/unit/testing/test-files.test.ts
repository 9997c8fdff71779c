import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import { findTestFiles, loadTestFile } from "../../../src/testing/test-files.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "test-files-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const CASES = "cases: [{ name: a, request: {}, expect: {} }]\n";

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

test("a file names its component and policy from its own folder, and what it depends on", async () => {
  await mkdir(join(folder, "policy"));
  await file("policy/greeter.yaml", "plugin: greeter\nallow: [key-value-read]\n");
  await file("payload.bin", "hello");
  const cases = "cases: [{ name: a, request: { payload: { file: payload.bin } }, expect: {} }]";
  const path = await file("a.test.yaml", `component: out/a.wasm\npolicy: policy/greeter.yaml\n${cases}\n`);
  const loaded = await loadTestFile(path, undefined);
  expect([loaded.name, loaded.componentPath, loaded.policy?.allow]).toEqual(["greeter", join(folder, "out/a.wasm"), 1]);
  const names = ["a.test.yaml", "payload.bin", "out/a.wasm", "policy/greeter.yaml"];
  expect(loaded.dependsOn).toEqual(names.map((name) => join(folder, name)));
});

test("a component on the command line goes before the file's, and gives the plugin its name", async () => {
  const path = await file("a.test.yaml", `component: out/a.wasm\n${CASES}`);
  const loaded = await loadTestFile(path, "/some/My_Plugin.wasm");
  expect([loaded.name, loaded.componentPath]).toEqual(["my-plugin", "/some/My_Plugin.wasm"]);
});

test.each([
  [CASES, "component is missing"],
  [`component: a.wasm\npolicy: none.yaml\n${CASES}`, "none.yaml:1:1: cannot be read (it does not exist)"],
  [
    `component: a.wasm\nplugin: other\npolicy: greeter.yaml\n${CASES}`,
    "other is not the plugin of the policy, greeter",
  ],
])("what is wrong with what it names is config-invalid: %s", async (text, problem) => {
  await file("greeter.yaml", "plugin: greeter\n");
  const path = await file("a.test.yaml", text);
  await expect(loadTestFile(path, undefined)).rejects.toMatchObject({
    code: "config-invalid",
    message: expect.stringContaining(problem) as string,
  });
});

test("a file of exactly the largest size is read, and one byte more is not", async () => {
  const text = `component: a.wasm\n${CASES}`;
  const fill = (bytes: number): string => `${text}#${"x".repeat(bytes - text.length - 1)}`;
  const path = await file("a.test.yaml", fill(FIXED_LIMITS.testFileBytes));
  await loadTestFile(path, undefined);
  await file("a.test.yaml", fill(FIXED_LIMITS.testFileBytes + 1));
  await expect(loadTestFile(path, undefined)).rejects.toMatchObject({ code: "config-invalid" });
});

test("test files are found here and below, but not in what tools make", async () => {
  for (const name of ["sub", "node_modules", ".hidden", "target"]) {
    await mkdir(join(folder, name));
    await file(join(name, "a.test.yaml"), CASES);
  }
  await file("b.test.yaml", CASES);
  await file("b.yaml", CASES);
  expect(await findTestFiles(folder)).toEqual(["b.test.yaml", "sub/a.test.yaml"].map((name) => join(folder, name)));
});

test("a run takes as many files as allowed and no more", async () => {
  for (let number = 0; number < FIXED_LIMITS.testFiles; number += 1) await file(`${number}.test.yaml`, "");
  expect((await findTestFiles(folder)).length).toBe(FIXED_LIMITS.testFiles);
  await file("one-more.test.yaml", "");
  await expect(findTestFiles(folder)).rejects.toMatchObject({ code: "usage-invalid" });
});
