/**
 * Does what a page of docs/write-a-plugin says, as a new author does: an empty folder, the page's files, its commands in
 * their order, and what they print.
 *
 * A block of `sh` is run; one of another language with `title=` is a file; one of `text` after commands is what they print,
 * where `…` stands for anything. A command that begins with `network-host serve` runs on until the page is through.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { inject } from "vitest";
import { endProcess, run } from "../../scripts/lib/command.ts";
import { ROOT } from "../../scripts/lib/project.ts";
import { until } from "../../scripts/lib/until.ts";

/** A step of a page. */
type Step =
  | { readonly kind: "file"; readonly name: string; readonly text: string }
  | { readonly kind: "commands"; readonly text: string; readonly prints: string | undefined };

const FENCE = /^```(\w+)(?: title=(\S+))?\n([^]*?)^```$/gm;
const COMMANDS_TIMEOUT_MS = 15 * 60_000;
const READY_TIMEOUT_MS = 150_000;
const STOP_GRACE_MS = 60_000;

/** Where toolchains of authors are installed by the packages' own means. Git ignores it. */
export const TOOLCHAINS: string = process.env["NETWORK_PLUGIN_CACHE"] ?? join(ROOT, ".cache", "authors");

/** An author's folder. Dispose of it with `await using`. */
export interface Workplace extends AsyncDisposable {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs a shell's commands there. @returns what they printed, standard error included. Rejects when one fails. */
  sh(commands: string): Promise<string>;
  /** The same where a failure is what is expected. */
  fails(commands: string): Promise<string>;
  /** Follows a page to its end. @returns what it printed. Rejects where something else comes out than it says. */
  follow(page: string): Promise<void>;
}

/** An empty folder, with the project's Node, the command `network-host`, and where NATS is. */
export async function createWorkplace(
  extra: { path?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<Workplace> {
  const home = await mkdtemp(join(tmpdir(), "author-"));
  const folder = join(home, "my-plugin");
  const bin = join(home, "bin");
  for (const path of [folder, bin]) await mkdir(path);
  const command = join(bin, "network-host");
  await writeFile(command, `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, "src/main.ts")}" "$@"\n`);
  await chmod(command, 0o755);
  const env = {
    PATH: [bin, dirname(process.execPath), process.env["PATH"], extra.path ?? bin].join(delimiter),
    NETWORK_HOST: ROOT,
    NATS_URL: inject("natsUrl"),
    CACHE_DIR: inject("artifactCache"),
    SQLITE_PATH: join(home, "store.sqlite"),
    // Toolchains are kept from run to run.
    NETWORK_PLUGIN_CACHE: TOOLCHAINS,
    NO_COLOR: "1",
    ...extra.env,
  };
  const replicas: ChildProcess[] = [];
  const sh = async (commands: string, acceptFailure = false): Promise<string> =>
    run("bash", ["-c", `${acceptFailure ? "" : "set -e\n"}exec 2>&1\n${commands}`], {
      timeoutMs: COMMANDS_TIMEOUT_MS,
      cwd: folder,
      env,
      acceptFailure,
    });
  return {
    folder,
    env,
    sh,
    fails: async (commands) => sh(`if ( ${commands} ); then echo "it did not fail"; fi`, true),
    async follow(page) {
      for (const step of stepsOf(await readFile(join(ROOT, page), "utf8"))) {
        if (step.kind === "file") {
          await mkdir(dirname(join(folder, step.name)), { recursive: true });
          await writeFile(join(folder, step.name), step.text);
        } else if (step.text.startsWith("network-host serve")) replicas.push(await serve(step.text, folder, env));
        else expectPrinted(await sh(step.text), step);
      }
    },
    async [Symbol.asyncDispose]() {
      for (const replica of replicas) await endProcess(replica, STOP_GRACE_MS);
      await rm(home, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** The steps of a page, in their order. */
export function stepsOf(page: string): Step[] {
  const steps: Step[] = [];
  for (const [, language = "", name, text = ""] of page.matchAll(FENCE)) {
    const last = steps.at(-1);
    if (name !== undefined) steps.push({ kind: "file", name, text });
    else if (language === "sh") steps.push({ kind: "commands", text, prints: undefined });
    else if (language === "text" && last?.kind === "commands") steps[steps.length - 1] = { ...last, prints: text };
  }
  return steps;
}

function expectPrinted(printed: string, { text, prints }: Step & { kind: "commands" }): void {
  if (prints === undefined) return;
  const lines = prints.trimEnd().split("\n");
  const pattern = lines
    .map((line) =>
      line
        .trimEnd()
        .split("…")
        .map((part) => RegExp.escape(part))
        .join(".*"),
    )
    .join("[ ]*\n");
  if (!new RegExp(`^${pattern}`, "m").test(printed)) throw new Error(`${text}printed\n${printed}\nand not\n${prints}`);
}

async function serve(command: string, cwd: string, env: Readonly<Record<string, string>>): Promise<ChildProcess> {
  const child = spawn("bash", ["-c", `exec ${command}`], {
    cwd,
    env: { ...process.env, ...env, LOG_FORMAT: "json" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  const settled = (): boolean => output.includes('"msg":"ready"') || child.exitCode !== null;
  await until(settled, { what: `${command.trim()} is ready`, timeoutMs: READY_TIMEOUT_MS });
  if (child.exitCode !== null) throw new Error(`${command}ended:\n${output}`);
  return child;
}
