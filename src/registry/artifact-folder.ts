/**
 * Artifacts of one engine in one folder: `<digest>/` with `manifest.json` and the files that it lists, and beside it
 * `<digest>.levels`, the access levels that the component requested at its first probe.
 *
 * Replicas may share it. An artifact appears as a whole, by a rename, or not at all; a second writer uses the
 * first one's. Errors of the file system are thrown as they are: {@link ArtifactCache} handles them.
 *
 * @module
 */

import { randomUUID } from "node:crypto";
import { access, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { ALL_ACCESS_LEVEL_BITS, type AccessLevelBits } from "../contract/access-levels.ts";
import { type ArtifactManifest, type CompiledArtifact, MANIFEST_FILE } from "../contract/artifact.ts";
import type { Digest } from "../contract/names.ts";
import { flawOfFiles, flawOfManifest, readIfPresent } from "./artifact-flaws.ts";
import { parseManifest } from "./artifact-manifest.ts";
import { publishFile, removeStale, replaceFile, syncDirectory, writeDurably } from "./durable-files.ts";
import { expectOwnFolder, makeOwnFolder } from "./own-folder.ts";
import { hasCode, isUnwritable } from "./system-errors.ts";

/** An artifact in the cache. */
export interface CachedArtifact {
  /** Absolute path of the folder that holds it. */
  readonly directory: string;
  readonly manifest: ArtifactManifest;
}

/** The result of a look-up. */
export type CacheLookup =
  | { readonly kind: "hit"; readonly artifact: CachedArtifact }
  | { readonly kind: "miss" }
  /** The artifact was not what had been stored, and was moved away. An operator should investigate. */
  | { readonly kind: "corrupt"; readonly reason: string };

/** Names of staging folders and removed artifacts begin with this; no digest does. */
export const TEMPORARY_PREFIX = "tmp-";

export class ArtifactFolder {
  readonly #directory: string;
  readonly #engine: string;

  private constructor(directory: string, engine: string) {
    this.#directory = directory;
    this.#engine = engine;
  }

  /**
   * Opens or creates the engine's folder below `root`. Removes what crashed processes left behind long ago. Throws
   * `usage-invalid` if other users may write to it.
   */
  static async open(root: string, engine: string): Promise<ArtifactFolder> {
    const folder = new ArtifactFolder(join(root, engine), engine);
    await makeOwnFolder(folder.#directory);
    await expectOwnFolder(folder.#directory);
    // A folder that may not be written may still be read.
    await removeStale(folder.#directory, TEMPORARY_PREFIX).catch(unlessUnwritable);
    return folder;
  }

  /** Looks an artifact up by its manifest alone: enough to know of it, not to execute it. */
  async find(digest: Digest): Promise<CacheLookup> {
    const directory = this.#artifactDirectory(digest);
    const text = await readIfPresent(join(directory, MANIFEST_FILE));
    if (text === undefined)
      return (await isPresent(directory)) ? await this.#discard(digest, "it has no manifest") : MISS;
    const manifest = parseManifest(text);
    if (typeof manifest === "string") return await this.#discard(digest, manifest);
    const reason = flawOfManifest(manifest, digest, this.#engine);
    if (reason !== undefined) return await this.#discard(digest, reason);
    return { kind: "hit", artifact: { directory, manifest } };
  }

  /** Looks an artifact up and verifies every byte of it. */
  async get(digest: Digest): Promise<CacheLookup> {
    const found = await this.find(digest);
    if (found.kind !== "hit") return found;
    const reason = await flawOfFiles(found.artifact.directory, found.artifact.manifest);
    return reason === undefined ? found : await this.#discard(digest, reason);
  }

  /** Stores an artifact. Where another process stored the same one first, that one is kept and returned. */
  async put({ manifest, files }: CompiledArtifact): Promise<CachedArtifact> {
    const staging = this.#temporaryPath();
    try {
      // An operator may have cleared the cache, and removed the folder, meanwhile.
      await makeOwnFolder(staging);
      for (const [name, content] of files) await writeDurably(join(staging, name), content);
      await writeDurably(join(staging, MANIFEST_FILE), JSON.stringify(manifest, undefined, 2));
      await syncDirectory(staging);
      return await this.#publish(staging, manifest);
    } finally {
      await rm(staging, { recursive: true, force: true }).catch(unlessUnwritable);
    }
  }

  /** The levels that the component requested at its first probe; `undefined` if it was never probed. */
  async readLevels(digest: Digest): Promise<AccessLevelBits | undefined> {
    const text = await readIfPresent(this.#levelsPath(digest));
    return text === undefined ? undefined : parseLevels(text.toString("utf8"));
  }

  /** Records the levels unless some are recorded; returns those recorded. The first answer counts. */
  async writeLevels(digest: Digest, levels: AccessLevelBits): Promise<AccessLevelBits> {
    const path = this.#levelsPath(digest);
    await makeOwnFolder(this.#directory);
    await publishFile(this.#temporaryPath(), path, String(levels));
    const recorded = await this.readLevels(digest);
    if (recorded !== undefined) return recorded;
    // The record cannot be read, so the first answer is lost; this one replaces it.
    await replaceFile(this.#temporaryPath(), path, String(levels));
    return (await this.readLevels(digest)) ?? levels;
  }

  #temporaryPath(): string {
    return join(this.#directory, TEMPORARY_PREFIX + randomUUID());
  }

  #artifactDirectory(digest: Digest): string {
    return join(this.#directory, digest);
  }

  #levelsPath(digest: Digest): string {
    return join(this.#directory, `${digest}.levels`);
  }

  /** Moves the staged artifact to its place. A folder that has content is never replaced (rename(2), ENOTEMPTY). */
  async #publish(staging: string, manifest: ArtifactManifest): Promise<CachedArtifact> {
    const directory = this.#artifactDirectory(manifest.digest);
    try {
      await rename(staging, directory);
      await syncDirectory(this.#directory);
      return { directory, manifest };
    } catch (error) {
      if (!hasCode(error, "ENOTEMPTY", "EEXIST")) throw error;
    }
    const found = await this.get(manifest.digest);
    if (found.kind === "hit") return found.artifact;
    // The other one was broken and has been removed: the name is free.
    await rename(staging, directory);
    await syncDirectory(this.#directory);
    return { directory, manifest };
  }

  /** Moves a broken artifact away, at once for every process, and removes it. */
  async #discard(digest: Digest, reason: string): Promise<CacheLookup> {
    const grave = this.#temporaryPath();
    try {
      await rename(this.#artifactDirectory(digest), grave);
      await rm(grave, { recursive: true, force: true });
    } catch (error) {
      // Another process was faster, or the artifact cannot be moved: it is not used in any case.
      if (!hasCode(error, "ENOENT")) unlessUnwritable(error);
    }
    return { kind: "corrupt", reason };
  }
}

const MISS: CacheLookup = { kind: "miss" };

function unlessUnwritable(error: unknown): void {
  if (!isUnwritable(error)) throw error;
}

function parseLevels(text: string): AccessLevelBits | undefined {
  const levels = Number(text);
  return /^[0-9]+$/.test(text) && levels <= ALL_ACCESS_LEVEL_BITS ? levels : undefined;
}

async function isPresent(directory: string): Promise<boolean> {
  try {
    await access(directory);
    return true;
  } catch (error) {
    if (hasCode(error, "ENOENT")) return false;
    throw error;
  }
}
