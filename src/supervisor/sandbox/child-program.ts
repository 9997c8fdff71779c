/**
 * Where the programs of the child processes are, in the source tree and in the build alike.
 *
 * @module
 */

import { extname } from "node:path";
import { fileURLToPath } from "node:url";

/** Root of the host's own code (`src/` or `dist/`): what a child process may read of it. */
export const CODE_ROOT: string = fileURLToPath(new URL("../..", import.meta.url));

/** Absolute path of a module of ours, named from the code root without its extension, for example `runner/main`. */
export function programPath(module: string): string {
  return fileURLToPath(new URL(`../../${module}${extname(import.meta.url)}`, import.meta.url));
}
