/**
 * The components that are committed beside their sources, and the file of their digests.
 *
 * A digest file lists every component of its folder, and no other: a component that nobody built on purpose is as
 * wrong as one that was changed.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join, posix } from "node:path";

import { ROOT } from "../lib/project.ts";
import { type Built } from "./recipe.ts";

/** What is known of a committed component. */
export interface CommittedComponent {
  /** SHA-256, lower-case hexadecimal. */
  readonly digest: string;
  readonly builtWith: string;
}

/** A folder of committed components. */
export interface CommittedFolder {
  readonly folder: string;
  /** Components that git ignores, because their set-up builds them. */
  readonly ignored: readonly string[];
}

/** Every clone of the repository carries every version of each: they stay small. */
export const MAX_COMMITTED_BYTES = 25 * 1024;

/** A component that is larger than a committed one may be. */
export class ComponentTooLargeError extends Error {
  override readonly name = "ComponentTooLargeError";
}

const DIGEST_FILE = "digests.json";

/** SHA-256 of a component's bytes, as the digest files and the host write it. */
export function digestOf(component: Uint8Array): string {
  return createHash("sha256").update(component).digest("hex");
}

/** Reads a folder's digest file: component path relative to the folder → what is known of it. */
export async function readDigests(folder: string): Promise<Map<string, CommittedComponent>> {
  const text = await readFile(join(ROOT, folder, DIGEST_FILE), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "{}";
    throw error;
  });
  return new Map(Object.entries(JSON.parse(text) as Record<string, CommittedComponent>));
}

/**
 * Writes components into their folder, and their digests into its digest file.
 *
 * @throws {@link ComponentTooLargeError} before anything is written
 */
export async function commit(folder: string, built: ReadonlyMap<string, Built>): Promise<void> {
  for (const [path, { component }] of built) {
    if (component.length < MAX_COMMITTED_BYTES) continue;
    throw new ComponentTooLargeError(
      `${path} has ${component.length} bytes, but a committed component has fewer than ${MAX_COMMITTED_BYTES}`,
    );
  }
  const digests = await readDigests(folder);
  for (const [path, { component, builtWith }] of built) {
    await writeFile(join(ROOT, folder, path), component);
    digests.set(path, { digest: digestOf(component), builtWith });
  }
  const sorted = [...digests].sort(([a], [b]) => (a < b ? -1 : 1));
  await writeFile(join(ROOT, folder, DIGEST_FILE), `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`);
}

/** @returns what is wrong with a folder's committed components; nothing if all is well. */
export async function findProblems({ folder, ignored }: CommittedFolder): Promise<string[]> {
  const digests = await readDigests(folder);
  const problems: string[] = [];
  for (const path of await listComponents(folder)) {
    if (ignored.includes(path)) continue;
    const component = await readFile(join(ROOT, folder, path));
    const known = digests.get(path);
    digests.delete(path);
    if (known === undefined) problems.push(`${posix.join(folder, path)} is not in ${DIGEST_FILE}`);
    else if (digestOf(component) !== known.digest) problems.push(`${posix.join(folder, path)} was changed`);
    else if (component.length >= MAX_COMMITTED_BYTES) problems.push(`${posix.join(folder, path)} is too large`);
  }
  for (const path of digests.keys()) problems.push(`${posix.join(folder, path)} is missing`);
  return problems;
}

/** Component files, one folder deep: toolchains keep their own in deeper ones. */
async function listComponents(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(ROOT, folder), { withFileTypes: true })) {
    if (entry.isFile() && entry.name.endsWith(".wasm")) found.push(entry.name);
    if (!entry.isDirectory()) continue;
    const names = await readdir(join(ROOT, folder, entry.name));
    found.push(...names.filter((name) => name.endsWith(".wasm")).map((name) => posix.join(entry.name, name)));
  }
  return found.sort();
}
