/**
 * Whether a stranger on this machine (a user that owns nothing and shares no group with the host) may enter a folder,
 * and how an artifact's folder is opened to one. Only permission bits count: what they deny counts as denied, even
 * where an access list allows it.
 *
 * @module
 */

import { chmod, readdir, realpath, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

const OTHERS_ENTER = 0o001;
const OWNER_ALL_OTHERS_ENTER = 0o711;
const OWNER_ALL_OTHERS_READ = 0o755;
const OWNER_WRITE_OTHERS_READ = 0o644;

/**
 * The first part of a path, the last one included, that a stranger may not enter (or execute); `undefined` where every
 * part is open. The path must exist. `except` names one part to skip.
 */
export async function unreachablePart(
  path: string,
  { except }: { readonly except?: string } = {},
): Promise<string | undefined> {
  const skipped = except === undefined ? undefined : await realpath(except);
  const parts: string[] = [];
  for (let part = await realpath(path); ; part = dirname(part)) {
    parts.unshift(part);
    if (part === dirname(part)) break;
  }
  for (const part of parts) {
    if (part !== skipped && ((await stat(part)).mode & OTHERS_ENTER) === 0) return part;
  }
  return undefined;
}

/**
 * Opens an artifact's folder to strangers for reading. The two folders above it (the engine's and the cache
 * itself) may then be entered, but not listed.
 */
export async function openToStrangers(folder: string): Promise<void> {
  const files = await readdir(folder);
  await Promise.all(files.map((file) => chmod(join(folder, file), OWNER_WRITE_OTHERS_READ)));
  await chmod(folder, OWNER_ALL_OTHERS_READ);
  for (const above of [dirname(folder), dirname(dirname(folder))]) await letEnter(above);
}

async function letEnter(folder: string): Promise<void> {
  const { mode } = await stat(folder);
  if ((mode & OTHERS_ENTER) === 0) await chmod(folder, mode | OWNER_ALL_OTHERS_ENTER);
}
