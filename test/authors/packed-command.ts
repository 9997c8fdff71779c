/**
 * The command as its users get it: packed, and installed into an empty folder, by the Node and npm of this machine.
 *
 * @module
 */

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { run } from "../../scripts/lib/command.ts";
import { ROOT } from "../../scripts/lib/project.ts";

const TIMEOUT_MS = 10 * 60_000;

/** Without what the project's own scripts put first: its Node is not there for users. */
export const USERS_PATH = (process.env["PATH"] ?? "")
  .split(delimiter)
  .filter((folder) => !folder.includes("node_modules"))
  .join(delimiter);

export interface InstalledCommand extends AsyncDisposable {
  readonly folder: string;
  /** What it was installed from. */
  readonly archive: string;
  /** What npm said while it installed. */
  readonly said: string;
}

/** @returns the path of the command's archive. */
export async function packCommand(into: string): Promise<string> {
  return packPackage(ROOT, into, { PATH: USERS_PATH });
}

/** Packs an npm package of this checkout, as it is published. @returns the archive's path. */
export async function packPackage(
  folder: string,
  into: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const args = ["pack", "--silent", "--pack-destination", into];
  const output = await run("npm", args, { timeoutMs: TIMEOUT_MS, cwd: folder, env });
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
    return { folder, archive, said, [Symbol.asyncDispose]: () => rm(outer, { recursive: true, force: true }) };
  } catch (error) {
    await rm(outer, { recursive: true, force: true });
    throw error;
  }
}
