/** The packed command in an empty folder: what an operator or an author does with it first. */

import { access, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { run } from "../../scripts/lib/command.ts";
import { freePort } from "../../src/local-nats/free-port.ts";
import { COMPONENTS, uniqueName } from "../harness/plugins.ts";
import { type InstalledCommand, installCommand, USERS_PATH } from "./packed-command.ts";
import { serveFolder } from "./served-folder.ts";

const plugin = uniqueName("echo");
let installed: InstalledCommand;
let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "authors-home-"));
  installed = await installCommand();
  for (const name of ["consumers", "policy", "plugins"]) await mkdir(join(installed.folder, name));
  await copyFile(COMPONENTS.echo, join(installed.folder, "plugins", `${plugin}.wasm`));
  await writeFile(
    join(installed.folder, "consumers/default.yaml"),
    `# yaml-language-server: $schema=../node_modules/network-host/schemas/consumer.schema.json
group: packed
plugins:
  - name: ${plugin}
    component: ../plugins/${plugin}.wasm
`,
  );
});

afterAll(async () => {
  await installed?.[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
});

function environment(): Record<string, string> {
  return { PATH: USERS_PATH, XDG_CACHE_HOME: home, XDG_STATE_HOME: home, NATS_URL: inject("natsUrl") };
}

function command(...args: readonly string[]): Promise<string> {
  return run("npx", ["network-host", ...args], { timeoutMs: 180_000, cwd: installed.folder, env: environment() });
}

test("it is installed by whatever Node there is, without a word about that", async () => {
  expect(installed.said).toMatch(/added \d+ packages/);
  expect(installed.said).not.toMatch(/EBADENGINE|deprecated|ERR!|install-scripts/);
  expect(await command("--version")).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(await command("--help")).toContain("network-host wit export plugin-contract");
});

test("it works where install scripts are blocked, and has none", async () => {
  const where = { timeoutMs: 600_000, cwd: await mkdtemp(join(home, "blocked-")), env: { PATH: USERS_PATH } };
  await run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", installed.archive], where);
  expect(await run("npx", ["network-host", "--version"], where)).toMatch(/^\d+\.\d+\.\d+\n$/);
  const lock = JSON.parse(await readFile(join(installed.folder, "node_modules/.package-lock.json"), "utf8")) as {
    packages: Record<string, { hasInstallScript?: boolean }>;
  };
  const scripted = Object.entries(lock.packages).filter(([, { hasInstallScript }]) => hasInstallScript === true);
  expect(scripted).toEqual([]);
});

test("it checks, inspects and serves what is in the folder, and is called", async () => {
  const policy = await command("inspect", `plugins/${plugin}.wasm`, "--print-policy");
  const [, schema = ""] = /\$schema=(\S+)/.exec(policy) ?? [];
  expect(schema).toBe("../node_modules/network-host/schemas/policy.schema.json");
  await writeFile(join(installed.folder, "policy", `${plugin}.yaml`), policy);
  const consumer = await readFile(join(installed.folder, "consumers/default.yaml"), "utf8");
  for (const path of [schema, /\$schema=(\S+)/.exec(consumer)?.[1] ?? ""])
    await access(join(installed.folder, "policy", path));
  expect(await command("check")).toContain("1 of 1 plugins would be served");
  await using _replica = await serveFolder("npx network-host serve", { cwd: installed.folder, env: environment() });
  expect(await command("call", plugin, "say", "hello")).toBe("hello");
});

test("it brings the contract", async () => {
  await command("wit", "export", "contract");
  expect(await readFile(join(installed.folder, "contract/wit/world.wit"), "utf8")).toContain("world network-plugin");
});

test("it makes a project in every language, with the package where no registry has it", async () => {
  for (const language of ["rust", "typescript", "python", "go", "c"]) {
    await command("new", language, `hello-${language}`);
    expect(await readFile(join(installed.folder, `hello-${language}`, ".gitignore"), "utf8")).not.toBe("");
  }
  const packed = join(installed.folder, "hello-c/sdk/network-plugin-api-c-1.0.0");
  for (const path of ["adapter/wasi_snapshot_preview1.reactor.wasm", "cmake/zig.cmake", "generated/network_plugin.c"])
    await access(join(packed, path));
});

test("it tries a component without NATS and files", async () => {
  expect(await command("run", `plugins/${plugin}.wasm`, "say", "hello", "--timeout", "60s")).toBe("hello");
});

test("where no NATS server listens, it says how to get one", async () => {
  const url = `nats://127.0.0.1:${await freePort()}`;
  const call = run("npx", ["network-host", "call", plugin, "say"], {
    timeoutMs: 180_000,
    cwd: installed.folder,
    env: { ...environment(), NATS_URL: url },
  });
  await expect(call).rejects.toThrow(/no NATS server listens there; start one: `docker run/);
});
