/**
 * Paths as people read them best.
 *
 * @module
 */

import { relative } from "node:path";

/** The shortest form of an absolute path: relative if it is below the working folder. */
export function shortPath(path: string): string {
  const below = relative(process.cwd(), path);
  return below.startsWith("..") || below === "" ? path : below;
}
