/**
 * The declarations of the package's API. The compiler writes one for every file; whoever installs the package needs those of
 * what `exports` names, which are written so that they name no others.
 *
 * @module
 */

import { glob, rm } from "node:fs/promises";
import { join } from "node:path";

const API = new Set(["testing/public.d.ts", "testing/public-types.d.ts"]);

/** Removes all others from a folder of compiled files. */
export async function keepApiDeclarations(folder: string): Promise<void> {
  for await (const path of glob("**/*.d.ts", { cwd: folder })) if (!API.has(path)) await rm(join(folder, path));
}
