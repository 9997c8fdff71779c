/**
 * Short runs of other programs: bounded in time and output.
 *
 * @module
 */

import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { withoutHostSecrets } from "../contract/host-secrets.ts";

const MAX_OUTPUT_BYTES = 8 * 1024 * 1024;

/** How to run one. */
export interface RunOptions {
  readonly timeoutMs: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** Runs a program to its end. Rejects where it fails; the message has what it wrote. */
export async function run(command: string, args: readonly string[], options: RunOptions): Promise<void> {
  await promisify(execFile)(command, args, {
    timeout: options.timeoutMs,
    maxBuffer: MAX_OUTPUT_BYTES,
    env: { ...withoutHostSecrets(process.env), ...options.env },
    ...(options.signal !== undefined && { signal: options.signal }),
  });
}

/** Does the program end with exit code 0? */
export async function succeeds(command: string, args: readonly string[], options: RunOptions): Promise<boolean> {
  return await run(command, args, options).then(
    () => true,
    () => false,
  );
}

/** The path of a program on `PATH`. */
export async function findOnPath(name: string): Promise<string | undefined> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, name);
    if (folder !== "" && (await isExecutable(path))) return path;
  }
  return undefined;
}

/** May this process execute the file? */
export async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
