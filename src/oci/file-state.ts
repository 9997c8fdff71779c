/**
 * What the file system says about a file, to see later whether it is still the file that was hashed.
 *
 * @module
 */

import { stat } from "node:fs/promises";
import type { BigIntStats } from "node:fs";

/** Differs when the file was replaced or written to: the change time cannot be set back. Compare it with `===`. */
export type FileState = string;

/** The state in the answer of stat(2). Pure. */
export function fileStateOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): FileState {
  return [dev, ino, size, mtimeNs, ctimeNs].join(":");
}

/** The state of a file now; `undefined` if it cannot be looked at. */
export async function readFileState(path: string): Promise<FileState | undefined> {
  try {
    return fileStateOf(await stat(path, { bigint: true }));
  } catch {
    // Whoever reads the file is told why.
    return undefined;
  }
}
