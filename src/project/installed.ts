/**
 * Remembers which dependencies a project's folder of packages was filled for, so that they are installed again when they
 * change and not at each build.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

const MARK = ".network-host-installed";

/** Was the folder filled for the list as it is now? */
export async function isInstalled(folder: string, list: string): Promise<boolean> {
  const mark = await readFile(join(folder, MARK), "utf8").catch(() => "");
  return mark === (await digestOf(list));
}

/** From now on it is. */
export async function markInstalled(folder: string, list: string): Promise<void> {
  await writeFile(join(folder, MARK), await digestOf(list));
}

async function digestOf(path: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
}
