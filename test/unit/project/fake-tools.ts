/**
 * Programs that stand in for a language's tools, for what the kit does with their output.
 *
 * @module
 */

import { chmod, mkdir, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { vi } from "vitest";

/** Puts shell scripts of these names in front of `PATH` until `vi.unstubAllEnvs`. */
export async function putOnPath(folder: string, scripts: Readonly<Record<string, string>>): Promise<void> {
  const bin = join(folder, "fake-bin");
  await mkdir(bin, { recursive: true });
  for (const [name, text] of Object.entries(scripts)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${text}\n`);
    await chmod(join(bin, name), 0o755);
  }
  vi.stubEnv("PATH", [bin, process.env["PATH"] ?? ""].join(delimiter));
}

/** Writes files below a folder. */
export async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}
