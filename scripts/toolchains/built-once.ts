/**
 * Components that are too large to commit and too slow to build for every run: built where they are needed, kept
 * until their sources or tools change.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "../lib/project.ts";
import { CACHE } from "./recipe.ts";

/** One component and what it is made of. */
export interface LargeComponent {
  readonly name: string;
  /** Files of the project; a change of one builds it again. */
  readonly sources: readonly string[];
  /** Name and version of what builds it. */
  readonly builtWith: string;
  readonly build: () => Promise<Uint8Array>;
}

/** The contract's files, which every component is built against. */
export const CONTRACT_SOURCES: readonly string[] = ["host", "plugin", "types", "world"].map(
  (name) => `wit/${name}.wit`,
);

/** Builds the component unless it is there; returns its path. */
export async function builtOnce({ name, sources, builtWith, build }: LargeComponent): Promise<string> {
  const hash = createHash("sha256").update(builtWith);
  for (const source of sources) hash.update(await readFile(join(ROOT, source)));
  const path = join(CACHE, `${name}-${hash.digest("hex").slice(0, 16)}.wasm`);
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  if (exists) return path;
  const component = await build();
  await mkdir(CACHE, { recursive: true });
  // Whole or not at all: another run may look for it now.
  const unfinished = `${path}.${process.pid}`;
  await writeFile(unfinished, component);
  await rename(unfinished, path);
  return path;
}
