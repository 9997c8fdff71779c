/**
 * The files of a project whose change may change its component.
 *
 * @module
 */

import { readdir } from "node:fs/promises";
import { join } from "node:path";

/** Folders that hold other people's files, or what tools make. */
const LEFT_OUT: ReadonlySet<string> = new Set(["node_modules", "target", "build", "dist", "sdk", "__pycache__"]);

/** More are not watched: it would be something else than a plugin's project. */
const MAX_PATHS = 5_000;

/** The files with these endings of their names, and the folders that they are in: absolute paths, a bounded number of them. */
export async function findSources(folder: string, endings: readonly string[]): Promise<readonly string[]> {
  const paths = [folder];
  const waiting = [folder];
  for (let next = waiting.pop(); next !== undefined && paths.length < MAX_PATHS; next = waiting.pop()) {
    for (const entry of await readdir(next, { withFileTypes: true }).catch(() => [])) {
      const path = join(next, entry.name);
      if (entry.name.startsWith(".") || LEFT_OUT.has(entry.name)) continue;
      if (entry.isDirectory()) {
        waiting.push(path);
        paths.push(path);
      } else if (endings.some((ending) => entry.name.endsWith(ending))) paths.push(path);
    }
  }
  return paths.slice(0, MAX_PATHS);
}
