/**
 * The contract's folder `wit/`, which the package brings.
 *
 * @module
 */

import { glob, readFile } from "node:fs/promises";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** Where the contract is in this package, also when it runs from `dist/`. */
const WIT_FOLDER = fileURLToPath(new URL("../../wit", import.meta.url));

/** Path below `wit/`, with slashes → text. In the order of their paths. */
export async function readWitFiles(): Promise<Map<string, string>> {
  const paths = await Array.fromAsync(glob("**/*.{wit,md}", { cwd: WIT_FOLDER }));
  const texts = paths
    .sort()
    .map(async (path): Promise<[string, string]> => [
      path.replaceAll(sep, "/"),
      await readFile(join(WIT_FOLDER, path), "utf8"),
    ]);
  return new Map(await Promise.all(texts));
}
