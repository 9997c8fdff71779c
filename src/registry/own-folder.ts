/**
 * A folder whose content is executed: created for its user alone, and no one else can write to it.
 *
 * @module
 */

import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { HostError } from "../errors/host-error.ts";
import { hasCode } from "./system-errors.ts";

/** Permission bits of a folder that let others write to it. */
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Creates a folder and missing folders above it. Node's own `recursive` reports ENOENT if a file system is read-only or fails
 * otherwise; this reports the real error.
 */
export async function makeOwnFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (hasCode(error, "EEXIST")) return;
    if (!hasCode(error, "ENOENT") || dirname(path) === path) throw error;
    await makeOwnFolder(dirname(path));
    await makeOwnFolder(path);
  }
}

/**
 * Throws `usage-invalid` if other users can write to the folder. Checking files against their manifest does not help
 * then: a user who can write the files can write the manifest.
 */
export async function expectOwnFolder(directory: string): Promise<void> {
  const self = process.geteuid?.();
  if (self === undefined) return;
  const { uid, mode } = await stat(directory);
  const flaw =
    uid !== self && uid !== 0
      ? "belongs to another user"
      : (mode & WRITABLE_BY_OTHERS) !== 0
        ? "can be written to by other users"
        : undefined;
  if (flaw === undefined) return;
  throw new HostError("usage-invalid", `The cache folder ${directory} ${flaw}: remove it, or name another by --cache.`);
}
