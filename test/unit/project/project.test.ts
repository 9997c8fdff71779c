import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findProject } from "../../../src/project/project.ts";
import { findSources } from "../../../src/project/source-files.ts";
import { writeFiles } from "./fake-tools.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "project-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("a project", () => {
  test.each([
    ["rust", "hello", { "Cargo.toml": '[package]\nname = "hello"\n[dependencies]\nnetwork-plugin-api = "1"\n' }],
    ["rust", "h", { "Cargo.toml": '[package]\nname = "h"\n[dependencies.network-plugin-api]\nversion = "1"\n' }],
    ["typescript", "t", { "package.json": '{"name":"t","devDependencies":{"network-plugin-api":"1.0.0"}}' }],
    ["typescript", "t", { "package.json": '{"name":"t","dependencies":{"network-plugin-api":"file:a.tgz"}}' }],
    ["python", undefined, { "requirements.txt": "network-plugin-api==1.0.0\n" }],
    ["python", undefined, { "requirements.txt": "./sdk/network_plugin_api-1.0.0-py3-none-any.whl\n" }],
    ["go", "hello", { "go.mod": "module example.com/hello\n\nrequire network-host.example/networkplugin v1.0.0\n" }],
    ["c", "hello", { "CMakeLists.txt": "project(x)\nadd_network_plugin(hello plugin.c)\n" }],
  ] as const)("is told by its manifest: %s", async (language, name, files) => {
    await writeFiles(folder, files);
    expect(await findProject(folder)).toMatchObject({ language, name, folder });
  });

  test.each([
    ["an empty folder", {}],
    ["a crate without the package", { "Cargo.toml": '[package]\nname = "x"\n' }],
    ["a broken manifest", { "package.json": "{" }],
    ["a manifest that is null", { "package.json": "null" }],
  ])("is not %s", async (_what, files) => {
    await writeFiles(folder, files);
    await expect(findProject(folder)).rejects.toMatchObject({ code: "usage-invalid" });
  });

  test.each([
    ['{"devDependencies":{"network-plugin-api":"1.0.0"},}', /package\.json cannot be used: .*JSON/],
    ['{"name":5,"devDependencies":{"network-plugin-api":"1.0.0"}}', /package\.json cannot be used: name: .*string/],
    ['{"dependencies":["network-plugin-api"]}', /package\.json cannot be used: dependencies: /],
    [
      '{"dependencies":null,"devDependencies":{"network-plugin-api":1}}',
      /package\.json cannot be used: dependencies: /,
    ],
    ['"network-plugin-api"', /package\.json cannot be used: .*object/],
  ])("with the manifest %s is told what is wrong with it", async (text, told) => {
    await writeFiles(folder, { "package.json": text });
    await expect(findProject(folder)).rejects.toMatchObject({
      code: "usage-invalid",
      message: expect.stringMatching(told),
    });
  });

  test("of another language may have any package.json beside it", async () => {
    await writeFiles(folder, { "requirements.txt": "network-plugin-api\n", "package.json": '{"name":5}' });
    expect(await findProject(folder)).toMatchObject({ language: "python" });
  });

  test("is of one language", async () => {
    await writeFiles(folder, {
      "requirements.txt": "network-plugin-api\n",
      "CMakeLists.txt": "add_network_plugin(a a.c)",
    });
    await expect(findProject(folder)).rejects.toThrow(/requirements\.txt and CMakeLists\.txt/);
  });
});

test("sources are found in all folders but those of tools and of others", async () => {
  await writeFiles(folder, {
    "plugin.ts": "",
    "lib/deep/a.ts": "",
    "lib/notes.md": "",
    "node_modules/x/x.ts": "",
    ".git/x.ts": "",
    "sdk/x.ts": "",
  });
  const found = await findSources(folder, [".ts"]);
  const below = found.map((path) => path.slice(folder.length + 1)).sort();
  expect(below).toEqual(["", "lib", "lib/deep", "lib/deep/a.ts", "plugin.ts"]);
});
