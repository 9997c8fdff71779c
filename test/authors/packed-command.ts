/**
 * The command as its users get it: packed, and installed into an empty folder, by the Node and npm of this machine.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { endProcess, run } from "../../scripts/lib/command.ts";
import { ROOT } from "../../scripts/lib/project.ts";

const TIMEOUT_MS = 10 * 60_000;

/** Without what the project's own scripts put first: its Node is not there for users. */
export const USERS_PATH = (process.env["PATH"] ?? "")
  .split(delimiter)
  .filter((folder) => !folder.includes("node_modules"))
  .join(delimiter);

export interface InstalledCommand extends AsyncDisposable {
  readonly folder: string;
  /** What npm said while it installed. */
  readonly said: string;
}

/** @returns the archive's path. */
export async function packCommand(into: string): Promise<string> {
  const output = await run("npm", ["pack", "--silent", "--pack-destination", into], {
    timeoutMs: TIMEOUT_MS,
    cwd: ROOT,
    env: { PATH: USERS_PATH },
  });
  return join(into, output.trim().split("\n").at(-1) ?? "");
}

export async function installCommand(): Promise<InstalledCommand> {
  const outer = await mkdtemp(join(tmpdir(), "authors-command-"));
  try {
    const archive = await packCommand(outer);
    const folder = join(outer, "project");
    await mkdir(folder);
    const install = ["install", "--no-audit", "--no-fund", archive];
    const said = await run("sh", ["-c", 'npm "$@" 2>&1', "npm", ...install], {
      timeoutMs: TIMEOUT_MS,
      cwd: folder,
      env: { PATH: USERS_PATH },
    });
    return { folder, said, [Symbol.asyncDispose]: () => rm(outer, { recursive: true, force: true }) };
  } catch (error) {
    await rm(outer, { recursive: true, force: true });
    throw error;
  }
}

/** Starts `npx network-host serve` and waits until it is ready. */
export async function serve(
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<AsyncDisposable & { readonly child: ChildProcess }> {
  const child = spawn(join(folder, "node_modules", ".bin", "network-host"), ["serve"], {
    cwd: folder,
    env: { ...process.env, PATH: USERS_PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const hear = (text: string): void => {
    said += text;
    if (said.includes('"msg":"ready"')) resolve();
  };
  child.stdout.setEncoding("utf8").on("data", hear);
  child.stderr.setEncoding("utf8").on("data", hear);
  child.once("exit", () => reject(new Error(`it ended before it was ready\n${said}`)));
  await promise;
  return { child, [Symbol.asyncDispose]: async () => void (await endProcess(child, 60_000)) };
}
