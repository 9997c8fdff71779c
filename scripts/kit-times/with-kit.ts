/**
 * How long an author waits with the kit: `new`, `build` and `run`; then `dev`, and a save.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { endProcess } from "../lib/command.ts";
import { ROOT } from "../lib/project.ts";
import { until } from "../lib/until.ts";
import type { AuthorsLanguage } from "./languages.ts";
import {
  type AuthorsTimes,
  changedSource,
  processorSeconds,
  STEP_TIMEOUT_MS,
  timeCommands,
  type Times,
} from "./measuring.ts";

const MAIN = join(ROOT, "dist/main.js");
const STOP_GRACE_MS = 60_000;

/** The built command, in a shell. */
export const COMMAND = `"${process.execPath}" "${MAIN}"`;

/** Measures in a folder that is empty. */
export async function measureWithKit(
  name: string,
  language: AuthorsLanguage,
  sdk: string,
  folder: string,
): Promise<AuthorsTimes> {
  const env = { CACHE_DIR: join(folder, "cache"), XDG_STATE_HOME: join(folder, "state") };
  const work = join(folder, "work");
  await mkdir(work);
  const commands = [
    `${COMMAND} new ${name} hello --sdk "${sdk}"`,
    "cd hello",
    `${COMMAND} build`,
    `${COMMAND} run ${language.component} greet World --policy policy/hello.yaml --timeout 60s`,
  ];
  const first = await timeCommands(commands, { cwd: work, env });
  if (!first.said.includes("You are number 1.")) throw new Error(`no reply:\n${first.said}`);
  return { first, change: await timeOfChange(language, join(work, "hello"), env) };
}

async function timeOfChange(
  { source }: AuthorsLanguage,
  project: string,
  env: Readonly<Record<string, string>>,
): Promise<Times> {
  const child = spawn(process.execPath, [MAIN, "dev", "greet", "World", "--folder", project, "--timeout", "60s"], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let replies = "";
  let log = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (replies += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (log += text));
  const says = (text: string): Promise<void> =>
    until(
      () => {
        if (replies.includes(text)) return true;
        // A build that fails, or a request that does: dev does neither again before the next save.
        if (child.exitCode !== null || /^error /m.test(log)) throw new Error(`dev failed:\n${log}`);
        return false;
      },
      { what: `dev shows ${text}`, timeoutMs: STEP_TIMEOUT_MS, intervalMs: 10 },
    );
  try {
    await says("Hello, World!");
    const path = join(project, source);
    const text = changedSource(await readFile(path, "utf8"), 1);
    const beforeS = await processorSeconds(child.pid ?? 0);
    const startMs = performance.now();
    await writeFile(path, text);
    await says("Hello1, World!");
    const wallS = (performance.now() - startMs) / 1_000;
    return { wallS, processorS: (await processorSeconds(child.pid ?? 0)) - beforeS };
  } finally {
    await endProcess(child, STOP_GRACE_MS);
  }
}
