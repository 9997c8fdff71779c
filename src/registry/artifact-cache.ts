/**
 * The content-addressed store of artifacts: `<dir>/<engine>/<digest>/`, shared by replicas.
 *
 * It is bounded: the least recently used artifacts make room for new ones, and none in use is removed. If the folder is full
 * of artifacts in use, or cannot be written, new artifacts go to a temporary folder of this process, so that plugins still
 * load; artifacts in the cache folder are used as before.
 *
 * Every file is compared with its digest before an artifact is executed. An artifact that does not match is moved away,
 * reported and built again. If neither folder can be used, operations throw `resources-exhausted`.
 *
 * @module
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { AccessLevelBits } from "../contract/access-levels.ts";
import type { CompiledArtifact } from "../contract/artifact.ts";
import { FIXED_LIMITS } from "../contract/limits.ts";
import type { Digest } from "../contract/names.ts";
import { HostError, toHostError } from "../errors/host-error.ts";
import { isShortage } from "../errors/shortage.ts";
import { engineKey } from "../supervisor/compilation/engine-key.ts";
import { ArtifactFolder, type CachedArtifact, type CacheLookup } from "./artifact-folder.ts";
import { ArtifactMarks, markUsed } from "./artifact-marks.ts";
import { CacheRoom, type Eviction } from "./cache-room.ts";
import { isFull, isUnwritable } from "./system-errors.ts";

/** Events of the cache that an operator should know about. */
export interface CacheEvents {
  /** The folder cannot be written: from now on new artifacts go to a temporary one. */
  fellBack(temporaryDir: string, reason: string): void;
  /** The folder can be written again. */
  recovered(): void;
  /** The least recently used artifacts were removed. */
  evicted(eviction: Eviction): void;
}

export interface CacheOptions {
  /** Which engine's artifacts; this program's unless given. */
  readonly engine?: string;
  /** Bytes of all artifacts in the folder. */
  readonly maxBytes?: number;
  /** `none`: an artifact that cannot be kept in the folder is an error. */
  readonly fallback?: "temporary" | "none";
  readonly events?: CacheEvents;
}

const NO_EVENTS: CacheEvents = {
  fellBack: () => undefined,
  recovered: () => undefined,
  evicted: () => undefined,
};

/** The cache's folders, once it is known which can be used. */
interface OpenedCacheOptions {
  readonly root: string;
  readonly engine: string;
  readonly events: CacheEvents;
  readonly room: CacheRoom;
  readonly fallback: "temporary" | "none";
}

const OPENED = "be opened";

export class ArtifactCache implements AsyncDisposable {
  readonly #parts: OpenedCacheOptions;
  readonly #marks = new ArtifactMarks();
  /** Absent if the folder cannot even be opened. */
  #main: ArtifactFolder | undefined;
  #temporary: { readonly root: string; readonly folder: ArtifactFolder } | undefined;
  #opening: Promise<ArtifactFolder> | undefined;
  #isFallenBack = false;

  private constructor(parts: OpenedCacheOptions) {
    this.#parts = parts;
  }

  /**
   * Opens or creates a cache in a folder. Throws `usage-invalid` if the folder cannot be a cache, or if other users may write
   * to it, because its content is executed.
   */
  static async open(directory: string, options: CacheOptions = {}): Promise<ArtifactCache> {
    const { maxBytes = FIXED_LIMITS.cacheBytes, fallback = "temporary", events = NO_EVENTS } = options;
    const root = resolve(directory);
    const engine = options.engine ?? (await engineKey());
    const room = new CacheRoom(root, maxBytes, (eviction) => events.evicted(eviction));
    const cache = new ArtifactCache({ root, engine, events, room, fallback });
    await attempt(OPENED, () => cache.#open());
    return cache;
  }

  /** Absolute path of an existing folder of artifacts: the cache's, or its substitute. */
  get directory(): string {
    return this.#main === undefined && this.#temporary !== undefined ? this.#temporary.root : this.#parts.root;
  }

  /** Do new artifacts go to a temporary folder, as of the last attempt? */
  get isFallenBack(): boolean {
    return this.#isFallenBack;
  }

  /** Looks an artifact up by its manifest alone: enough to know of it, not to execute it. */
  async find(digest: Digest): Promise<CacheLookup> {
    return await this.#lookUp((folder) => folder.find(digest));
  }

  /** Looks an artifact up and verifies every byte of it. */
  async get(digest: Digest): Promise<CacheLookup> {
    return await this.#lookUp((folder) => folder.get(digest));
  }

  /** Keeps an artifact in the cache until the result is called. */
  hold(artifact: CachedArtifact): () => void {
    return this.#marks.hold(artifact);
  }

  /** Stores an artifact. Where another process stored the same one first, that one is kept and returned. */
  async put(artifact: CompiledArtifact): Promise<CachedArtifact> {
    const { engine, room } = this.#parts;
    if (artifact.manifest.engine !== engine) {
      throw new HostError(
        "internal",
        `an artifact of ${artifact.manifest.engine} does not belong into the cache of ${engine}`,
      );
    }
    const bytes = artifact.files.values().reduce((sum, content) => sum + content.length, 0);
    return await attempt("be written", () =>
      this.#write(bytes, async (folder) => {
        const stored = await folder.put(artifact);
        if (folder === this.#main) await room.stored(bytes);
        return stored;
      }),
    );
  }

  /** The levels that the component requested at its first probe; `undefined` if it was never probed. */
  async readLevels(digest: Digest): Promise<AccessLevelBits | undefined> {
    return await attempt("be read", async () => {
      for (const folder of this.#folders()) {
        const levels = await folder.readLevels(digest);
        if (levels !== undefined) return levels;
      }
      return undefined;
    });
  }

  /** Records the levels unless some are recorded; returns those recorded. The first answer counts. */
  async writeLevels(digest: Digest, levels: AccessLevelBits): Promise<AccessLevelBits> {
    return await attempt("be written", () => this.#write(1, (folder) => folder.writeLevels(digest, levels)));
  }

  /** Ends the marks and removes the temporary folder, if there is one. Nothing may use the cache any more. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#marks.close();
    const root = this.#temporary?.root;
    this.#temporary = undefined;
    if (root !== undefined) await rm(root, { recursive: true, force: true });
  }

  async #open(): Promise<void> {
    const { root, engine } = this.#parts;
    try {
      this.#main = await ArtifactFolder.open(root, engine);
    } catch (error) {
      await this.#fallBack(error);
    }
  }

  /** Artifacts in the temporary folder are newer. */
  #folders(): ArtifactFolder[] {
    return [this.#temporary?.folder, this.#main].filter((folder) => folder !== undefined);
  }

  async #lookUp(look: (folder: ArtifactFolder) => Promise<CacheLookup>): Promise<CacheLookup> {
    return await attempt("be read", async () => {
      let answer: CacheLookup = { kind: "miss" };
      for (const folder of this.#folders()) {
        const found = await look(folder);
        if (found.kind === "hit") {
          await markUsed(found.artifact.directory);
          return found;
        }
        if (found.kind === "corrupt") answer = found;
      }
      return answer;
    });
  }

  /** In the cache's folder, after making room if it is full; else in the temporary one. */
  async #write<Result>(bytes: number, write: (folder: ArtifactFolder) => Promise<Result>): Promise<Result> {
    if (this.#main !== undefined) {
      try {
        const result = await this.#writeWithRoom(this.#main, bytes, write);
        if (this.#isFallenBack) this.#parts.events.recovered();
        this.#isFallenBack = false;
        return result;
      } catch (error) {
        await this.#fallBack(error);
      }
    }
    return await write(await this.#openTemporary());
  }

  async #writeWithRoom<Result>(
    folder: ArtifactFolder,
    bytes: number,
    write: (folder: ArtifactFolder) => Promise<Result>,
  ): Promise<Result> {
    try {
      return await write(folder);
    } catch (error) {
      if (!isFull(error) || !(await this.#parts.room.free(bytes))) throw error;
    }
    return await write(folder);
  }

  /** Throws the error again if a temporary folder does not help. */
  async #fallBack(error: unknown): Promise<void> {
    if (this.#parts.fallback === "none" || !isUnwritable(error)) throw error;
    await this.#openTemporary();
    if (!this.#isFallenBack) this.#parts.events.fellBack(this.#temporary?.root ?? "", toHostError(error).message);
    this.#isFallenBack = true;
  }

  async #openTemporary(): Promise<ArtifactFolder> {
    if (this.#temporary !== undefined) return this.#temporary.folder;
    this.#opening ??= this.#makeTemporary().finally(() => (this.#opening = undefined));
    return await this.#opening;
  }

  async #makeTemporary(): Promise<ArtifactFolder> {
    const root = await mkdtemp(join(tmpdir(), "network-host-artifacts-"));
    const folder = await ArtifactFolder.open(root, this.#parts.engine);
    this.#temporary = { root, folder };
    return folder;
  }
}

/** A fault of the folder may be repaired while the replica runs; a folder that never could be used is the wrong one. */
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
