/**
 * Where things are.
 *
 * @module
 */

import { access } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** Is there something that this process may see? */
export async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

/** Where this program keeps what it can obtain again: the XDG base directory, or the default of the user. */
export function cacheFolder(): string {
  const named = process.env["XDG_CACHE_HOME"];
  const base = named !== undefined && isAbsolute(named) ? named : join(process.env["HOME"] || homedir(), ".cache");
  return join(base, "network-host");
}
