/**
 * docs/write-a-plugin/rust.md, word for word: every command is run and every file written, from an empty folder to the
 * replies. The crate and the command are the packed ones.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { endProcess, run } from "../../scripts/lib/command.ts";
import { freePort } from "../../scripts/lib/ports.ts";
import { natsAnswers } from "../../src/local-nats/nats-probe.ts";
import { projectFile } from "../harness/plugins.ts";
import { until } from "../../scripts/lib/until.ts";
import { openOfflineFolder, TARGET_FOLDER } from "./packed-crate.ts";
import { blocksOf } from "./page.ts";
import { packCommand, serve, USERS_PATH } from "./packed-command.ts";

const TIMEOUT_MS = 20 * 60_000;

const LAST_SECTION = "\n## Send HTTP requests\n";

async function followPage(): Promise<string[]> {
  await using stack = new AsyncDisposableStack();
  const offline = stack.use(await openOfflineFolder());
  const home = await mkdtemp(join(tmpdir(), "authors-page-"));
  stack.defer(() => rm(home, { recursive: true, force: true }));
  const archive = await packCommand(home);
  const port = await freePort();
  const env = {
    PATH: USERS_PATH,
    XDG_CACHE_HOME: home,
    XDG_STATE_HOME: home,
    NATS_URL: `nats://127.0.0.1:${port}`,
    // Macros that were compiled for another test are taken from there.
    CARGO_BUILD_BUILD_DIR: TARGET_FOLDER,
  };
  let cwd = offline.path;
  const replies: string[] = [];
  const [page = ""] = (await readFile(projectFile("docs/write-a-plugin/rust.md"), "utf8")).split(LAST_SECTION);
  for (const { file, language, text } of blocksOf(page)) {
    if (file !== undefined) {
      await mkdir(dirname(join(cwd, file.path)), { recursive: true });
      await (file.how === "append" ? appendFile : writeFile)(join(cwd, file.path), `${text}\n`);
    }
    for (const line of language === "console" ? text.split("\n") : []) {
      if (line.startsWith("cd ")) {
        cwd = join(cwd, line.slice(3));
      } else if (line === "npx network-host serve") {
        stack.use(await serve(cwd, env));
      } else if (line.includes("bin/nats-server ")) {
        const server = spawn("sh", ["-c", `exec ${line} --port ${port}`], { cwd, stdio: "ignore" });
        stack.defer(() => endServer(server));
        await until(() => natsAnswers({ host: "127.0.0.1", port }), { what: "NATS answers" });
      } else {
        // The archive stands in for the registry.
        const said = await run("sh", ["-c", line.replace(/^npm install network-host$/, `npm install ${archive}`)], {
          timeoutMs: TIMEOUT_MS,
          cwd,
          env,
        });
        if (line.startsWith("npx network-host call ")) replies.push(said);
      }
    }
  }
  return replies;
}

async function endServer(server: ChildProcess): Promise<void> {
  await endProcess(server, 10_000);
}

if (process.env["AUTHORS"] === "1")
  test("the page leads from an empty folder to the replies that it names", async () => {
    expect(await followPage()).toEqual(["1", "2"]);
  });
else
  test("the page has commands, and files to write before them", async () => {
    const blocks = blocksOf(await readFile(projectFile("docs/write-a-plugin/rust.md"), "utf8"));
    const files = blocks.flatMap(({ file }) => file?.path ?? []);
    const consoles = blocks.filter(({ language }) => language === "console");
    expect(consoles.map(({ text }) => text.split("\n").length)).toEqual([4, 1, 2, 1, 3, 1, 2]);
    expect(files).toEqual(["Cargo.toml", "src/lib.rs", "consumers/default.yaml", "policy/counter.yaml"]);
  });
