/**
 * Opens what was built to every user of the machine for reading, whatever the umask of whoever built it: a replica that
 * runs as root gives its runners the rights of another user, who has to load the runner's program.
 *
 * @module
 */

import { chmod, readdir } from "node:fs/promises";
import { join } from "node:path";

const FOLDER_MODE = 0o755;
const FILE_MODE = 0o644;

/** Sets the modes of a folder and of all that is below it. */
export async function openModes(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await openModes(path);
    else await chmod(path, FILE_MODE);
  }
  await chmod(folder, FOLDER_MODE);
}
