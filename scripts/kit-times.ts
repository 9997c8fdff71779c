/**
 * `node scripts/kit-times.ts <packed packages> [language...]`: how long an author waits, by the built command: from `new` to
 * the first reply, and in `dev` from a save to the changed reply. Beside each time is the processor time that the command
 * and what it has waited for took: on a machine that others use, it is the part that the kit is to blame for.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { endProcess, run } from "./lib/command.ts";
import { ROOT } from "./lib/project.ts";
import { until } from "./lib/until.ts";

/** Each language's source, and where its component goes. */
const PROJECTS: Readonly<Record<string, readonly [source: string, component: string]>> = {
  typescript: ["plugin.ts", "plugin.wasm"],
  c: ["plugin.c", "build/hello.wasm"],
  python: ["plugin.py", "plugin.wasm"],
  go: ["main.go", "plugin.wasm"],
  rust: ["src/lib.rs", "target/wasm32-wasip2/release/hello.wasm"],
};

const TIMEOUT_MS = 20 * 60_000;
/** How often a change is made: the median counts. */
const CHANGES = 3;

interface Times {
  readonly wallS: number;
  readonly processorS: number;
}

const [packages, ...named] = process.argv.slice(2);
if (packages === undefined || named.some((name) => PROJECTS[name] === undefined)) {
  console.error(`usage: node scripts/kit-times.ts <packed packages> [${Object.keys(PROJECTS).join("|")}]...`);
  process.exitCode = 2;
} else {
  console.log("language    new → first reply         save → changed reply in dev   load");
  for (const language of named.length === 0 ? Object.keys(PROJECTS) : named)
    console.log(await measure(language, resolve(packages)));
}

async function measure(language: string, sdk: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "kit-times-"));
  try {
    const first = await timeToFirstReply(language, sdk, folder);
    const changes = await timesOfChanges(language, join(folder, "work/hello"), folder);
    const change = changes.sort((one, other) => one.wallS - other.wallS)[Math.floor(changes.length / 2)];
    const load = loadavg()[0]?.toFixed(1) ?? "";
    return `${language.padEnd(11)} ${textOf(first).padEnd(25)} ${textOf(change).padEnd(29)} ${load}`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function textOf(times: Times | undefined): string {
  if (times === undefined) return "none";
  return `${times.wallS.toFixed(1)} s (processor ${times.processorS.toFixed(1)} s)`;
}

/** `new`, `build` and `run` as one shell has them run, which counts the processor time of all of them. */
async function timeToFirstReply(language: string, sdk: string, folder: string): Promise<Times> {
  const [, component = ""] = PROJECTS[language] ?? [];
  const command = `"${process.execPath}" "${join(ROOT, "dist/main.js")}"`;
  const commands = [
    `${command} new ${language} hello --sdk "${sdk}"`,
    "cd hello",
    `${command} build`,
    `${command} run ${component} greet World --policy policy/hello.yaml --timeout 60s`,
  ].join(" && ");
  const script = `TIMEFORMAT='%R %U %S'; time { { ${commands}; } >../said 2>&1; }`;
  const work = join(folder, "work");
  await mkdir(work);
  const measured = await run("bash", ["-c", `exec 2>&1\n${script}`], {
    timeoutMs: TIMEOUT_MS,
    cwd: work,
    env: { CACHE_DIR: join(folder, "cache") },
  }).catch(async (error: unknown) => {
    console.error(await readFile(join(folder, "said"), "utf8"));
    throw error;
  });
  const said = await readFile(join(folder, "said"), "utf8");
  if (!said.includes("You are number 1.")) throw new Error(`no reply:\n${said}`);
  const [wallS = 0, userS = 0, systemS = 0] = measured.trim().split(/\s+/).map(Number);
  return { wallS, processorS: userS + systemS };
}

async function timesOfChanges(language: string, project: string, folder: string): Promise<Times[]> {
  const [source = ""] = PROJECTS[language] ?? [];
  const path = join(project, source);
  const args = [join(ROOT, "dist/main.js"), "dev", "greet", "World", "--folder", project, "--timeout", "60s"];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, CACHE_DIR: join(folder, "cache") },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let replies = "";
  let log = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (replies += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (log += text));
  const times: Times[] = [];
  const says = (text: string): Promise<void> =>
    until(
      () => {
        if (child.exitCode !== null || log.includes("error build-failed")) throw new Error(`dev failed:\n${log}`);
        return replies.includes(text);
      },
      { what: `dev shows ${text}`, timeoutMs: TIMEOUT_MS, intervalMs: 10 },
    );
  try {
    await says("Hello, World!");
    for (let change = 1; change <= CHANGES; change += 1) {
      const text = (await readFile(path, "utf8")).replace(/Hello\d*,/, `Hello${change},`);
      const beforeS = await processorSeconds(child.pid ?? 0);
      const startMs = performance.now();
      await writeFile(path, text);
      await says(`Hello${change}, World!`);
      const wallS = (performance.now() - startMs) / 1_000;
      times.push({ wallS, processorS: (await processorSeconds(child.pid ?? 0)) - beforeS });
    }
    return times;
  } finally {
    await endProcess(child, 60_000);
  }
}

/** Of a process and of all its children that have ended. */
async function processorSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const TICKS_PER_S = 100;
  return [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at] ?? 0), 0) / TICKS_PER_S;
}
