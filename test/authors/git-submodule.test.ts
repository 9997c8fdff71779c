/**
 * The contract as a Git repository: exported, tagged, a submodule of a plugin's project, updated to a later tag.
 */

import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "nats";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { run } from "../../scripts/lib/command.ts";
import { ROOT } from "../../scripts/lib/project.ts";
import { obtainWasmTools } from "../../scripts/toolchains/python-tool.ts";
import { obtainWasmRust } from "../../scripts/toolchains/rust-for-wasm.ts";
import { COMPONENTS, consumerFile, policyFiles, projectFile, READ_WRITE, uniqueName } from "../harness/plugins.ts";
import { startReplica } from "../harness/replica.ts";
import { request } from "../harness/request.ts";
import { type OfflineFolder, openOfflineFolder, TARGET_FOLDER } from "./packed-crate.ts";
import { blocksOf } from "./page.ts";

const TIMEOUT_MS = 20 * 60_000;

let folder: OfflineFolder;
let contract: string;
let project: string;

beforeAll(async () => {
  await obtainWasmRust();
  folder = await openOfflineFolder();
  contract = join(folder.path, "contract");
  project = join(folder.path, "plugin");
  const page = blocksOf(await readFile(projectFile("docs/write-a-plugin/git-submodule.md"), "utf8"));
  const textOf = (path: string) => page.find(({ file }) => file?.path === path)?.text ?? "";
  await exportContract();
  await git(contract, "init", "--quiet");
  await commit(contract, "v1.0.0");
  await mkdir(join(project, "src"), { recursive: true });
  for (const path of ["Cargo.toml", "src/lib.rs"]) await writeFile(join(project, path), `${textOf(path)}\n`);
  await git(project, "init", "--quiet");
  await git(project, "submodule", "--quiet", "add", contract, "wit-api");
  await git(join(project, "wit-api"), "checkout", "--quiet", "v1.0.0");
});

afterAll(() => folder?.[Symbol.asyncDispose]());

async function git(cwd: string, ...args: readonly string[]): Promise<string> {
  const identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
  // The repository is a folder here, which Git does not take submodules from unless it is told to.
  return run("git", [...identity, "-c", "protocol.file.allow=always", ...args], { cwd, timeoutMs: TIMEOUT_MS });
}

async function commit(repository: string, tag: string): Promise<void> {
  await git(repository, "add", ".");
  await git(repository, "commit", "--quiet", "--message", tag);
  await git(repository, "tag", tag);
}

async function exportContract(): Promise<void> {
  await run(process.execPath, [join(ROOT, "src/main.ts"), "wit", "export", contract], { timeoutMs: TIMEOUT_MS });
}

async function buildProject(): Promise<string> {
  await run("cargo", ["build", "--release", "--target", "wasm32-wasip2"], {
    cwd: project,
    timeoutMs: TIMEOUT_MS,
    env: { CARGO_TARGET_DIR: TARGET_FOLDER },
  });
  return join(TARGET_FOLDER, "wasm32-wasip2/release/my_plugin.wasm");
}

test("a plugin that has the contract as a submodule is built, served, and updated to a later tag", async () => {
  const component = await buildProject();
  const before = await readFile(component);
  const plugin = uniqueName("submodule");
  await using replica = await startReplica({
    consumer: consumerFile({ group: "submodule", plugins: { [plugin]: component } }),
    policies: policyFiles({ [plugin]: READ_WRITE }),
  });
  await using nats = await connect({ servers: inject("natsUrl") }).then((connection) => ({
    connection,
    [Symbol.asyncDispose]: () => connection.close(),
  }));
  expect((await request(nats.connection, `rpc.${plugin}.greet`, "you")).text).toBe("hello you");

  await appendFile(join(contract, "README.md"), "\nAnother line.\n");
  await exportContract();
  await commit(contract, "v1.0.1");
  const submodule = join(project, "wit-api");
  expect(await git(submodule, "describe", "--tags")).toBe("v1.0.0\n");
  await git(submodule, "fetch", "--quiet", "--tags");
  await git(submodule, "checkout", "--quiet", "v1.0.1");
  await commit(project, "updated");
  expect(await git(project, "submodule", "status")).toContain("(v1.0.1)");
  expect(await readFile(join(submodule, "README.md"), "utf8")).toContain("Another line.");
  expect(await readFile(await buildProject())).toEqual(before);
  expect(replica.errorOutput).toBe("");
});

test("wasm-tools says of what works that it targets the world of all that is linked", async () => {
  const wasmTools = await obtainWasmTools();
  const targets = (wit: string, component: string) =>
    run(wasmTools, ["component", "targets", join(contract, "wit", wit), component], { timeoutMs: TIMEOUT_MS });
  const http = projectFile("test/components/fetch-rust.wasm");
  const { echo, userDataRust, userDataTs } = COMPONENTS;
  for (const component of [echo, userDataRust, userDataTs, http, await buildProject()])
    await targets("linked", component);
  // The contract's own world says no to what a toolchain with a later WASI has made; neither says yes to what is no plugin.
  await expect(targets("", userDataTs)).rejects.toThrow(/missing import named/);
  const none = join(folder.path, "none.wasm");
  await writeFile(none, Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0));
  await expect(targets("linked", none)).rejects.toThrow(/handler@1\.0\.0/);
});
