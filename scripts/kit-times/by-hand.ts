/**
 * How long an author waits without the kit: the language's own commands, a NATS server and a replica with a consumer file and a
 * policy, and `call`; then an edit, the build's command, and `call` until the replica has taken the component up. What an
 * author types takes no time here: the files are there when their turn comes.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { natsAnswers } from "../../src/local-nats/nats-probe.ts";
import { endProcess, run } from "../lib/command.ts";
import { freePort } from "../../src/local-nats/free-port.ts";
import { ROOT } from "../lib/project.ts";
import { until } from "../lib/until.ts";
import { obtainServer } from "../servers/binaries.ts";
import type { AuthorsLanguage } from "./languages.ts";
import {
  type AuthorsTimes,
  changedSource,
  processorSeconds,
  STEP_TIMEOUT_MS,
  timeCommands,
  type Times,
  type Workplace,
} from "./measuring.ts";
import { COMMAND } from "./with-kit.ts";

const STOP_GRACE_MS = 60_000;
const CALL = `${COMMAND} call hello greet World --timeout 60s`;

/** Measures in a folder that is empty. */
export async function measureByHand(
  name: string,
  language: AuthorsLanguage,
  sdk: string,
  folder: string,
): Promise<AuthorsTimes> {
  const work = join(folder, "work");
  const project = join(work, "hello");
  await mkdir(project, { recursive: true });
  const files = await filesOf(name, sdk, folder);
  const port = await freePort();
  const place: Workplace = {
    cwd: project,
    env: {
      SDK: sdk,
      CACHE_DIR: join(folder, "cache"),
      XDG_STATE_HOME: join(folder, "state"),
      CONTROL_DIR: join(folder, "control"),
      NATS_URL: `nats://127.0.0.1:${port}`,
      ...language.env?.(sdk),
    },
  };
  const server = await obtainServer("nats-server", () => undefined);
  await using stack = new AsyncDisposableStack();

  const startMs = performance.now();
  for (const file of [language.source, ...language.written, "consumers/default.yaml", "policy/hello.yaml"])
    await copyInto(files, project, file);
  const started = await timeCommands(language.start, place);
  const built = await timeCommands([language.build], place);
  const nats = spawn(server, ["--addr", "127.0.0.1", "--port", String(port)], { stdio: "ignore" });
  stack.defer(async () => void (await endProcess(nats, STOP_GRACE_MS)));
  await until(() => natsAnswers({ host: "127.0.0.1", port }), { what: "the NATS server answers", intervalMs: 10 });
  const replica = await serve(place);
  stack.defer(async () => void (await endProcess(replica, STOP_GRACE_MS)));
  const called = await timeCommands([CALL], place);
  const wallS = (performance.now() - startMs) / 1_000;
  if (!called.said.includes("You are number 1.")) throw new Error(`no reply:\n${called.said}`);
  const served = (await processorSeconds(nats.pid ?? 0)) + (await processorSeconds(replica.pid ?? 0));
  const processorS = started.processorS + built.processorS + called.processorS + served;
  return { first: { wallS, processorS }, change: await timeOfChange(language, place, replica) };
}

/** A project of the kit's, for the files that an author writes. */
async function filesOf(name: string, sdk: string, folder: string): Promise<string> {
  const into = join(folder, "files");
  await mkdir(into);
  await run("bash", ["-c", `${COMMAND} new ${name} hello --sdk "${sdk}"`], { timeoutMs: STEP_TIMEOUT_MS, cwd: into });
  return join(into, "hello");
}

async function copyInto(from: string, to: string, file: string): Promise<void> {
  await mkdir(dirname(join(to, file)), { recursive: true });
  await copyFile(join(from, file), join(to, file));
}

/** A replica, once it is ready. */
async function serve({ cwd, env }: Workplace): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(ROOT, "dist/main.js"), "serve", "--log-format", "json"], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface(child.stdout);
  const { promise, resolve } = Promise.withResolvers<void>();
  lines.on("line", (line) => {
    if ((JSON.parse(line) as { msg?: string }).msg === "ready") resolve();
  });
  const ended = once(child, "exit").then(() => {
    throw new Error("the replica ended before it was ready");
  });
  await Promise.race([promise, ended]);
  // It ends when it is ended.
  ended.catch(() => undefined);
  return child;
}

async function timeOfChange(language: AuthorsLanguage, place: Workplace, replica: ChildProcess): Promise<Times> {
  const path = join(place.cwd, language.source);
  const text = changedSource(await readFile(path, "utf8"), 1);
  const beforeS = await processorSeconds(replica.pid ?? 0);
  const startMs = performance.now();
  await writeFile(path, text);
  let processorS = (await timeCommands([language.build], place)).processorS;
  for (;;) {
    const called = await timeCommands([CALL], place);
    processorS += called.processorS;
    if (called.said.includes("Hello1, World!")) break;
    if (performance.now() - startMs > STEP_TIMEOUT_MS) throw new Error(`the old version goes on:\n${called.said}`);
  }
  const wallS = (performance.now() - startMs) / 1_000;
  return { wallS, processorS: processorS + (await processorSeconds(replica.pid ?? 0)) - beforeS };
}
