/**
 * The content-addressed store of artifacts: `<dir>/<engine>/<digest>/`, with `manifest.json` and the files it
 * lists, and beside it `<digest>.levels`, the access levels that the component asked for first.
 *
 * Replicas may share a folder. An artifact appears whole, by a rename, or not at all; whoever comes second
 * uses what is there. Every file is compared with its digest when an artifact is taken out to be executed: what
 * does not match is moved away and reported, so that it is built anew.
 *
 * Where the folder cannot be written or read, operations throw `resources-exhausted` with the cause.
 *
 * @module
 */

import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ALL_ACCESS_LEVEL_BITS, type AccessLevelBits } from "../contract/access-levels.ts";
import { ARTIFACT_FORMAT, type ArtifactManifest, type CompiledArtifact, MANIFEST_FILE } from "../contract/artifact.ts";
import { digestOf } from "../contract/digest.ts";
import type { Digest } from "../contract/names.ts";
import { HostError, toHostError } from "../errors/host-error.ts";
import { isShortage } from "../errors/shortage.ts";
import { engineKey } from "../supervisor/compilation/engine-key.ts";
import { parseManifest } from "./artifact-manifest.ts";
import { publishFile, removeStale, replaceFile, syncDirectory, writeDurably } from "./durable-files.ts";

/** An artifact in the cache. */
export interface CachedArtifact {
  /** Absolute path of the folder that holds it. */
  readonly directory: string;
  readonly manifest: ArtifactManifest;
}

/** What the cache has for a digest. */
export type CacheLookup =
  | { readonly kind: "hit"; readonly artifact: CachedArtifact }
  | { readonly kind: "miss" }
  /** There was one, and it was not what had been stored: it has been removed. Somebody should look. */
  | { readonly kind: "corrupt"; readonly reason: string };

/** Staging folders and removed artifacts begin with this; no digest does. */
const TEMPORARY_PREFIX = "tmp-";

const OPENED = "be opened";

export class ArtifactCache {
  readonly #directory: string;
  readonly #engine: string;

  private constructor(directory: string, engine: string) {
    this.#directory = directory;
    this.#engine = engine;
  }

  /**
   * Opens or creates a cache in a folder. What crashed processes left behind long ago is removed. Throws
   * `usage-invalid` where it cannot be a cache, and where others may write to it: what they put there would be executed.
   */
  static async open(directory: string, engine?: string): Promise<ArtifactCache> {
    const key = engine ?? (await engineKey());
    const cache = new ArtifactCache(resolve(directory, key), key);
    await attempt(OPENED, async () => {
      await mkdir(cache.#directory, { recursive: true, mode: 0o700 });
      await expectOwnFolder(cache.#directory);
      await removeStale(cache.#directory, TEMPORARY_PREFIX);
    });
    return cache;
  }

  /** Looks an artifact up by its manifest alone: enough to know of it, not to execute it. */
  async find(digest: Digest): Promise<CacheLookup> {
    return await attempt("be read", async () => {
      const directory = this.#artifactDirectory(digest);
      const text = await readIfPresent(join(directory, MANIFEST_FILE));
      if (text === undefined)
        return (await isPresent(directory)) ? await this.#discard(digest, "it has no manifest") : MISS;
      const manifest = parseManifest(text);
      const reason = typeof manifest === "string" ? manifest : this.#manifestFlaw(manifest, digest);
      if (reason !== undefined || typeof manifest === "string") return await this.#discard(digest, reason ?? "");
      return { kind: "hit", artifact: { directory, manifest } };
    });
  }

  /** Looks an artifact up and verifies every byte of it. */
  async get(digest: Digest): Promise<CacheLookup> {
    const found = await this.find(digest);
    if (found.kind !== "hit") return found;
    return await attempt("be read", async () => {
      const reason = await flawOfFiles(found.artifact);
      return reason === undefined ? found : await this.#discard(digest, reason);
    });
  }

  /** Stores an artifact. Where another process stored the same one first, that one is kept and returned. */
  async put({ manifest, files }: CompiledArtifact): Promise<CachedArtifact> {
    if (manifest.engine !== this.#engine) {
      throw new HostError(
        "internal",
        `an artifact of ${manifest.engine} does not belong into the cache of ${this.#engine}`,
      );
    }
    return await attempt("be written", async () => {
      const staging = this.#temporaryPath();
      try {
        await mkdir(staging, { mode: 0o700 });
        for (const [name, content] of files) await writeDurably(join(staging, name), content);
        await writeDurably(join(staging, MANIFEST_FILE), JSON.stringify(manifest, undefined, 2));
        await syncDirectory(staging);
        return await this.#publish(staging, manifest);
      } finally {
        await rm(staging, { recursive: true, force: true });
      }
    });
  }

  /** The levels that the component asked for when it was first asked; `undefined` if it never was. */
  async readLevels(digest: Digest): Promise<AccessLevelBits | undefined> {
    return await attempt("be read", async () => {
      const text = await readIfPresent(this.#levelsPath(digest));
      return text === undefined ? undefined : parseLevels(text.toString("utf8"));
    });
  }

  /** Records the levels unless some are recorded; the result is what is recorded then. The first answer counts. */
  async writeLevels(digest: Digest, levels: AccessLevelBits): Promise<AccessLevelBits> {
    return await attempt("be written", async () => {
      const path = this.#levelsPath(digest);
      await publishFile(this.#temporaryPath(), path, String(levels));
      const recorded = await this.readLevels(digest);
      if (recorded !== undefined) return recorded;
      // What is recorded cannot be read: the first answer is lost, this one takes its place.
      await replaceFile(this.#temporaryPath(), path, String(levels));
      return (await this.readLevels(digest)) ?? levels;
    });
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
    // The other one was broken and is gone now: the place is free.
    await rename(staging, directory);
    await syncDirectory(this.#directory);
    return { directory, manifest };
  }

  /** What is wrong with a stored artifact, as far as its manifest tells. */
  #manifestFlaw(manifest: ArtifactManifest, digest: Digest): string | undefined {
    if (manifest.format !== ARTIFACT_FORMAT) return "its format is another one";
    if (manifest.digest !== digest) return "its manifest names another component";
    if (manifest.engine !== this.#engine) return "its manifest names another engine";
    return undefined;
  }

  /** Takes a broken artifact out of the way, at once and for every process, and removes it. */
  async #discard(digest: Digest, reason: string): Promise<CacheLookup> {
    const grave = this.#temporaryPath();
    try {
      await rename(this.#artifactDirectory(digest), grave);
      await rm(grave, { recursive: true, force: true });
    } catch (error) {
      // Another process was faster.
      if (!hasCode(error, "ENOENT")) throw error;
    }
    return { kind: "corrupt", reason };
  }
}

const MISS: CacheLookup = { kind: "miss" };

/** Permission bits of a folder that let others write to it. */
const WRITABLE_BY_OTHERS = 0o022;

/** An artifact's files are held against its manifest, and whoever can write one can write the other. */
async function expectOwnFolder(directory: string): Promise<void> {
  const self = process.geteuid?.();
  if (self === undefined) return;
  const { uid, mode } = await stat(directory);
  const flaw =
    uid !== self && uid !== 0
      ? "belongs to another user"
      : (mode & WRITABLE_BY_OTHERS) !== 0
        ? "can be written to by other users"
        : undefined;
  if (flaw === undefined) return;
  throw new HostError("usage-invalid", `The cache folder ${directory} ${flaw}: remove it, or name another by --cache.`);
}

/** What is wrong with the files of a stored artifact. */
async function flawOfFiles({ directory, manifest }: CachedArtifact): Promise<string | undefined> {
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

function parseLevels(text: string): AccessLevelBits | undefined {
  const levels = Number(text);
  return /^[0-9]+$/.test(text) && levels <= ALL_ACCESS_LEVEL_BITS ? levels : undefined;
}

async function readIfPresent(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

async function isPresent(directory: string): Promise<boolean> {
  try {
    await (await open(directory)).close();
    return true;
  } catch (error) {
    if (hasCode(error, "ENOENT")) return false;
    throw error;
  }
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

/** What is wrong with the folder may be mended while the replica runs; where it never could be used, it is named wrongly. */
async function attempt<Result>(what: string, operation: () => Promise<Result>): Promise<Result> {
  try {
    return await operation();
  } catch (error) {
    if (error instanceof HostError) throw error;
    const { message } = toHostError(error);
    const code = what === OPENED && !isShortage(error) ? "usage-invalid" : "resources-exhausted";
    throw new HostError(code, `the artifact cache could not ${what}: ${message}`, { cause: error });
  }
}
