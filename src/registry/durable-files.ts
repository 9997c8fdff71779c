/**
 * Writes files that exist completely or not at all, even after a power cut.
 *
 * @module
 */

import { link, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Temporary files older than this belong to a process that has ended: no write takes as long. */
const STALE_AFTER_MS = 60 * 60 * 1000;

/** Writes a new file and waits until the disk has it. */
export async function writeDurably(path: string, content: Uint8Array | string): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Waits until the disk has the folder's entries. */
export async function syncDirectory(path: string): Promise<void> {
  await syncFile(path);
}

/** Waits until the disk has a file's content, whoever wrote it. */
export async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Creates a file with its content, unless one exists: link(2) fails where a rename would replace the file. */
export async function publishFile(staging: string, path: string, content: string): Promise<void> {
  await writeDurably(staging, content);
  try {
    await link(staging, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  } finally {
    await rm(staging, { force: true });
  }
}

/** Creates or replaces a file. */
export async function replaceFile(staging: string, path: string, content: string): Promise<void> {
  await writeDurably(staging, content);
  await rename(staging, path);
  await syncDirectory(dirname(path));
}

/** Removes files and folders with this prefix that were left behind long ago. */
export async function removeStale(directory: string, prefix: string): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.startsWith(prefix));
  for (const name of names) {
    const path = join(directory, name);
    const info = await stat(path).catch(() => undefined);
    if (info !== undefined && Date.now() - info.mtimeMs > STALE_AFTER_MS)
      await rm(path, { recursive: true, force: true });
  }
}
