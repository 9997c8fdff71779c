/**
 * Where the programs of the child processes are, in the source tree and in the build alike, and which of the host's own
 * files they may read.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, extname } from "node:path";
import { fileURLToPath } from "node:url";

/** Root of the host's own code (`src/` or `dist/`): what a child process may read of it. */
export const CODE_ROOT: string = fileURLToPath(new URL("../..", import.meta.url));

/** Absolute path of a module of the host, named from the code root without its extension, for example `runner/main`. */
export function programPath(module: string): string {
  return fileURLToPath(new URL(`../../${module}${extname(import.meta.url)}`, import.meta.url));
}

/**
 * The `node_modules` folders that hold the transpiler and its dependencies: those on the resolution path of this
 * module, and the real one, since package managers and developers link folders.
 */
export function dependencyRoots(): ReadonlySet<string> {
  const transpiler = "@bytecodealliance/jco/component";
  const folder = "node_modules";
  const found = createRequire(import.meta.url).resolve.paths(transpiler) ?? [];
  const path = fileURLToPath(import.meta.resolve(transpiler));
  const real = path.slice(0, path.indexOf(folder) + folder.length);
  return new Set([...found.filter((directory) => basename(directory) === folder && existsSync(directory)), real]);
}
