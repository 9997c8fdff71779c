/**
 * A new project of each language as an author makes it, from the packed packages: it is made, built, run and served as it is.
 */

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PACKERS, type PackedLanguage } from "../../scripts/pack-sdk/packers.ts";
import { run } from "../../scripts/lib/command.ts";
import { obtainWasmRust } from "../../scripts/toolchains/rust-for-wasm.ts";
import { uniqueName } from "../harness/plugins.ts";
import { obtainCMake } from "./cmake.ts";
import { createWorkplace, TOOLCHAINS, type Workplace } from "./workplace.ts";

/** What each language makes, and what its compiler says of a mistake in its source. */
const LANGUAGES: Readonly<
  Record<PackedLanguage, { component: (name: string) => string; mistake: [file: string, text: string, says: RegExp] }>
> = {
  typescript: {
    component: () => "plugin.wasm",
    mistake: ["plugin.ts", "export const x: number = 'text';\n", /plugin\.ts\(\d+,\d+\): error/],
  },
  c: { component: (name) => `build/${name}.wasm`, mistake: ["plugin.c", "int x = y;\n", /plugin\.c:\d+:9: error/] },
  python: { component: () => "plugin.wasm", mistake: ["plugin.py", "def f(:\n", /plugin\.py.*\d+/] },
  rust: {
    component: (name) => `target/wasm32-wasip2/release/${name.replaceAll("-", "_")}.wasm`,
    mistake: ["src/lib.rs", "fn f() -> u8 { x }\n", /src\/lib\.rs:\d+:16/],
  },
  go: { component: () => "plugin.wasm", mistake: ["main.go", "var x int = y\n", /main\.go:\d+:13/] },
};

/** Without AUTHORS=1, only what needs nothing but npm and CMake. */
const WANTED: readonly PackedLanguage[] =
  process.env["AUTHORS"] === "1" ? ["typescript", "c", "python", "rust", "go"] : ["typescript", "c"];

const TIMEOUT_MS = 15 * 60_000;
let packages: string;

beforeAll(async () => {
  packages = await mkdtemp(join(tmpdir(), "authors-kit-"));
});
afterAll(() => rm(packages, { recursive: true, force: true }));

describe.each(WANTED)("a new project in %s", (language) => {
  const name = uniqueName("hello");
  const { component, mistake } = LANGUAGES[language];
  let workplace: Workplace;

  beforeAll(async () => {
    const cmake = language === "c" ? await obtainCMake(TOOLCHAINS) : undefined;
    if (language === "rust") await obtainWasmRust();
    workplace = await createWorkplace(cmake);
    await PACKERS[language](packages);
    await workplace.sh(`network-host new ${language} ${name} --folder . --sdk ${packages}`);
  });
  afterAll(async () => {
    await workplace[Symbol.asyncDispose]();
  });

  test("builds, and answers a request without NATS", async () => {
    expect(await workplace.sh("network-host build")).toMatch(/^requests {2}key-value-read, key-value-write$/m);
    const asked = `network-host run ${component(name)} greet World --policy policy/${name}.yaml --timeout 60s`;
    expect(await workplace.sh(asked)).toMatch(/│ a request.*\n(.*\n)*Hello, World! You are number 1\./);
  });

  test("passes the tests that it comes with", async () => {
    expect(await workplace.sh("network-host test")).toMatch(/^3 cases: 3 passed/m);
  });

  test("is served by its consumer file and its policy", async () => {
    expect(await workplace.sh("network-host check")).toMatch(new RegExp(`^${name} +granted `, "m"));
  });

  test("says where a mistake is, in the author's own file", async () => {
    const [file, text, says] = mistake;
    const path = join(workplace.folder, file);
    const source = await readFile(path, "utf8");
    await writeFile(path, `${source}\n${text}`);
    const said = await workplace.fails("network-host build");
    expect(said).toMatch(says);
    expect(said).toMatch(/^error build-failed: /m);
    await writeFile(path, source);
  });
});

test("a project in C needs no packed package: the command brings it", async () => {
  const { path, env } = await obtainCMake(TOOLCHAINS);
  await using workplace = await createWorkplace({ path, env });
  await workplace.sh("network-host new c hello --folder .");
  const listed = await run("ls", [join(workplace.folder, "sdk/network-plugin-api-c-1.0.0/adapter")], {
    timeoutMs: TIMEOUT_MS,
  });
  expect(listed.trim()).toBe("wasi_snapshot_preview1.reactor.wasm");
  expect(await workplace.sh("network-host build")).toMatch(/^built +build\/hello\.wasm, /m);
});
