/**
 * Tests of a plugin with the packed command: the page on testing, on the plugin of the page on TypeScript, in an empty folder, by
 * the machine's own Node; and the API from vitest, with its types.
 */

import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../scripts/lib/command.ts";
import { ROOT } from "../../scripts/lib/project.ts";
import { type InstalledCommand, installCommand, USERS_PATH } from "./packed-command.ts";
import { stepsOf } from "./page.ts";

const TIMEOUT_MS = 10 * 60_000;

/** Newer ones may need another Node or compiler than this test is about. */
const TOOLS = ["vitest@5.1.1", "typescript@7.0.2", "@types/node@26.6.6"];

let installed: InstalledCommand;
let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "authors-home-"));
  installed = await installCommand();
  await sh(`npm pack --silent "${join(ROOT, "sdk/typescript")}"`);
  await sh(`npm install --no-audit --no-fund --save-dev ./network-plugin-api-1.0.0.tgz ${TOOLS.join(" ")}`);
  await writeFilesOf("docs/write-a-plugin/typescript.md", ["tsconfig.json", "plugin.ts", "policy/hello.yaml"]);
  await sh("npx network-plugin-api build");
});

afterAll(async () => {
  await installed?.[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
});

/** What was printed, standard error included. */
function sh(commands: string, acceptFailure = false): Promise<string> {
  return run("bash", ["-c", `exec 2>&1\n${commands}`], {
    timeoutMs: TIMEOUT_MS,
    cwd: installed.folder,
    env: { PATH: USERS_PATH, XDG_CACHE_HOME: home, NO_COLOR: "1" },
    acceptFailure,
  });
}

async function writeFilesOf(page: string, names: readonly string[]): Promise<void> {
  const files = stepsOf(await readFile(join(ROOT, page), "utf8")).flatMap((step) =>
    step.kind === "file" ? [step] : [],
  );
  for (const name of names) {
    const text = files.find((file) => file.path === name)?.text;
    if (text === undefined) throw new Error(`${page} has no ${name}`);
    await mkdir(dirname(join(installed.folder, name)), { recursive: true });
    await writeFile(join(installed.folder, name), text);
  }
}

test("the page's test file passes, as the page says, and names a schema that is there", async () => {
  const page = await readFile(join(ROOT, "docs/write-a-plugin/testing.md"), "utf8");
  await writeFilesOf("docs/write-a-plugin/testing.md", ["hello.test.yaml"]);
  const command = stepsOf(page).find(({ kind }) => kind === "commands");
  const printed = await sh("npx network-host test");
  const lines = (command?.kind === "commands" ? command.prints : undefined)?.trim().split("\n") ?? [];
  expect(lines.length).toBeGreaterThan(8);
  const pattern = lines
    .map((line) =>
      line
        .split("…")
        .map((part) => RegExp.escape(part))
        .join(".*"),
    )
    .join("\n");
  expect(printed).toMatch(new RegExp(pattern));
  const [, schema = ""] = /\$schema=(\S+)/.exec(page) ?? [];
  expect(JSON.parse(await readFile(join(installed.folder, schema), "utf8"))).toMatchObject({ type: "object" });
});

test("a case that fails ends with 1, and shows the line of its file", async () => {
  const file = join(installed.folder, "hello.test.yaml");
  const text = await readFile(file, "utf8");
  await writeFile(file, text.replace("Hello, World! You are number 1.", "Hello, world! You are number 1."));
  const printed = await sh('npx network-host test; echo "exit code $?"', true);
  await writeFile(file, text);
  expect(printed).toContain(`        hello.test.yaml:8:7: the body differs
          - "Hello, world! You are number 1."
          + "Hello, World! You are number 1."
`);
  expect(printed).toContain("exit code 1");
});

test("the package brings the contract's cases", async () => {
  const component = join(ROOT, "test/components/conformance-c.wasm");
  const printed = await sh(`npx network-host test --conformance "${component}"`);
  expect(printed).toContain("  ok    a body that is streamed in parts is read to its end");
  expect(printed).toMatch(/^(\d+) cases: \1 passed, in /m);
});

test("vitest runs the page's tests by the package's API, and its types are those of the code", async () => {
  await writeFilesOf("docs/write-a-plugin/testing.md", ["hello.test.ts"]);
  const typed = {
    compilerOptions: { strict: true, noEmit: true, module: "nodenext", target: "esnext", types: ["node"] },
  };
  await writeFile(join(installed.folder, "tsconfig.test.json"), JSON.stringify({ ...typed, files: ["hello.test.ts"] }));
  expect(await sh("npx tsc -p tsconfig.test.json")).toBe("");
  expect(await sh("npx vitest run hello.test.ts")).toMatch(/Tests +2 passed/);
});

test("mistakes in options are told as in a file, and an older Node is told what to do", async () => {
  const script = `import { openPlugin } from "network-host/testing";
try {
  await using plugin = await openPlugin("plugin.wasm");
  plugin.scene({ store: [{ on: "got" }] });
} catch (error) {
  console.log(error.code, error.message);
}
`;
  await writeFile(join(installed.folder, "mistake.mjs"), script);
  expect(await sh("npx node mistake.mjs")).toContain('usage-invalid store[0].on: "got" cannot be used');
  await writeFile(join(installed.folder, "older.mjs"), script.replace("await using plugin", "const plugin"));
  const older = "/usr/bin/node";
  const version = await sh(`${older} --version || true`);
  if (/^v2[0-5]\./.test(version))
    expect(await sh(`${older} older.mjs`)).toMatch(/usage-invalid network-host\/testing needs Node 26, and this is v2/);
  else expect(version).toMatch(/v2[6-9]|No such file/);
});
