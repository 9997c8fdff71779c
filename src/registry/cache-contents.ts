/**
 * Lists and removes the artifacts in a cache folder, of every engine and version. It touches only what is an artifact by its
 * place, name and manifest: a folder named by mistake loses nothing.
 *
 * @module
 */

import { randomUUID } from "node:crypto";
import { lstat, readdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { MANIFEST_FILE } from "../contract/artifact.ts";
import { type Digest, isDigest } from "../contract/names.ts";
import { TEMPORARY_PREFIX } from "./artifact-folder.ts";
import { hasCode } from "./system-errors.ts";

/** An artifact as the file system shows it. */
export interface StoredArtifact {
  /** Absolute path. */
  readonly directory: string;
  readonly engine: string;
  readonly digest: Digest;
  readonly bytes: number;
  /** When it was last used, by the system's clock. */
  readonly usedMs: number;
}

/** Artifacts below a cache folder, in no order. None where there is no such folder. */
export async function listArtifacts(root: string): Promise<readonly StoredArtifact[]> {
  const artifacts: StoredArtifact[] = [];
  for (const engine of await foldersIn(root)) {
    for (const digest of await foldersIn(join(root, engine))) {
      if (!isDigest(digest)) continue;
      const artifact = await describe(join(root, engine, digest), engine, digest);
      if (artifact !== undefined) artifacts.push(artifact);
    }
  }
  return artifacts;
}

/** Removes an artifact and its record of levels: at once for every process, by a rename. */
export async function removeArtifact({ directory }: StoredArtifact): Promise<void> {
  const engineFolder = dirname(directory);
  const grave = join(engineFolder, TEMPORARY_PREFIX + randomUUID());
  try {
    await rename(directory, grave);
  } catch (error) {
    // Another process was faster.
    if (!hasCode(error, "ENOENT")) throw error;
    return;
  }
  await rm(grave, { recursive: true, force: true });
  await rm(`${directory}.levels`, { force: true });
  // The folder of an unused engine is removed with its last artifact.
  await rmdir(engineFolder).catch((error: unknown) => {
    if (!hasCode(error, "ENOTEMPTY", "EEXIST", "ENOENT", "EACCES", "EPERM", "EBUSY")) throw error;
  });
}

/** `undefined` if it is not an artifact, or was removed meanwhile. */
async function describe(directory: string, engine: string, digest: Digest): Promise<StoredArtifact | undefined> {
  try {
    const names = await readdir(directory);
    if (!names.includes(MANIFEST_FILE)) return undefined;
    const { mtimeMs: usedMs } = await stat(directory);
    const sizes = await Promise.all(names.map(async (name) => (await lstat(join(directory, name))).size));
    return { directory, engine, digest, bytes: sizes.reduce((sum, size) => sum + size, 0), usedMs };
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

async function foldersIn(path: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if (hasCode(error, "ENOENT", "EACCES")) return [];
    throw error;
  }
}
