/**
 * Checks that an artifact on disk is what was stored, to the last byte.
 *
 * @module
 */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ARTIFACT_FORMAT, type ArtifactManifest, MANIFEST_FILE } from "../contract/artifact.ts";
import { digestOf } from "../contract/digest.ts";
import type { Digest } from "../contract/names.ts";
import { hasCode } from "./system-errors.ts";

/** What is wrong according to the manifest. */
export function flawOfManifest(manifest: ArtifactManifest, digest: Digest, engine: string): string | undefined {
  if (manifest.format !== ARTIFACT_FORMAT) return "its format is another one";
  if (manifest.digest !== digest) return "its manifest names another component";
  if (manifest.engine !== engine) return "its manifest names another engine";
  return undefined;
}

/** What is wrong with the files in the artifact's folder. */
export async function flawOfFiles(directory: string, manifest: ArtifactManifest): Promise<string | undefined> {
  const present = (await readdir(directory)).filter((name) => name !== MANIFEST_FILE);
  const unexpected = present.find((name) => !Object.hasOwn(manifest.files, name));
  if (unexpected !== undefined)
    return `it holds the file ${JSON.stringify(unexpected)}, which its manifest does not list`;
  for (const [name, expected] of Object.entries(manifest.files)) {
    const content = await readIfPresent(join(directory, name));
    if (content === undefined) return `the file ${name} is missing`;
    if (digestOf(content) !== expected) return `the file ${name} is not what was stored`;
  }
  return undefined;
}

/** The file's content; `undefined` where there is none. */
export async function readIfPresent(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}
