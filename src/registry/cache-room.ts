/**
 * Makes room in a cache folder: removes the least recently used artifacts first, and none in use.
 *
 * @module
 */

import { stat } from "node:fs/promises";
import { isInUse } from "./artifact-marks.ts";
import { listArtifacts, removeArtifact, type StoredArtifact } from "./cache-contents.ts";
import { hasCode, isUnwritable } from "./system-errors.ts";

/** What was removed. */
export interface Eviction {
  readonly artifacts: number;
  readonly bytes: number;
  /** Artifacts that could not be removed. */
  readonly stuck: number;
}

/** Room is made below the bound, so that it is not made again for the next artifact. */
const LOW_WATER = 0.9;
/** If artifacts in use fill the folder, it is examined again no sooner than this. */
const NEXT_SEARCH_MS = 60_000;

/** The artifacts to remove to free at least `bytes`: least recently used first, none in use. */
export function selectEvictions(
  artifacts: readonly StoredArtifact[],
  bytes: number,
  nowMs: number = Date.now(),
): readonly StoredArtifact[] {
  const free = artifacts.filter(({ usedMs }) => !isInUse(usedMs, nowMs)).sort((a, b) => a.usedMs - b.usedMs);
  let selected = 0;
  const end = free.findIndex((artifact) => {
    if (selected >= bytes) return true;
    selected += artifact.bytes;
    return false;
  });
  return end < 0 ? free : free.slice(0, end);
}

/**
 * If the folder holds more than `maxBytes`, removes artifacts that are not in use until it holds `toBytes`. Returns what was
 * removed and how much is left.
 */
export async function evictBeyond(
  root: string,
  { maxBytes, toBytes }: { readonly maxBytes: number; readonly toBytes: number },
): Promise<Eviction & { readonly left: number }> {
  const artifacts = await listArtifacts(root);
  const total = artifacts.reduce((sum, { bytes }) => sum + bytes, 0);
  const eviction = await evict(total > maxBytes ? selectEvictions(artifacts, total - toBytes) : []);
  return { ...eviction, left: total - eviction.bytes };
}

/** Removes these, except those used meanwhile and those that cannot be removed. */
export async function evict(selected: readonly StoredArtifact[]): Promise<Eviction> {
  let [artifacts, bytes, stuck] = [0, 0, 0];
  for (const artifact of selected) {
    if (await isUsedMeanwhile(artifact)) continue;
    try {
      await removeArtifact(artifact);
      artifacts += 1;
      bytes += artifact.bytes;
    } catch (error) {
      if (!isUnwritable(error)) throw error;
      stuck += 1;
    }
  }
  return { artifacts, bytes, stuck };
}

/** Was it used while others were removed? */
async function isUsedMeanwhile({ directory, usedMs }: StoredArtifact): Promise<boolean> {
  try {
    return (await stat(directory)).mtimeMs !== usedMs;
  } catch (error) {
    if (hasCode(error, "ENOENT")) return true;
    throw error;
  }
}

/** Keeps a folder within its bound, without looking at all of it for each new artifact. */
export class CacheRoom {
  readonly #root: string;
  readonly #maxBytes: number;
  readonly #evicted: (eviction: Eviction) => void;
  /** Bytes in it: as last measured, and stored since; unknown before the first measurement. */
  #bytes = Number.POSITIVE_INFINITY;
  #nextSearchAt = Number.NEGATIVE_INFINITY;
  #searching: Promise<void> | undefined;

  constructor(root: string, maxBytes: number, evicted: (eviction: Eviction) => void) {
    this.#root = root;
    this.#maxBytes = maxBytes;
    this.#evicted = evicted;
  }

  /** Counts stored bytes, and makes room if they exceed the bound. */
  async stored(bytes: number): Promise<void> {
    this.#bytes += bytes;
    if (this.#bytes <= this.#maxBytes || performance.now() < this.#nextSearchAt) return;
    this.#searching ??= this.#search().finally(() => (this.#searching = undefined));
    await this.#searching;
  }

  /** Removes artifacts that are not in use, to free `bytes`. Returns whether it removed any. */
  async free(bytes: number): Promise<boolean> {
    const eviction = await evict(selectEvictions(await listArtifacts(this.#root), bytes));
    this.#tell(eviction);
    return eviction.artifacts > 0;
  }

  async #search(): Promise<void> {
    const bounds = { maxBytes: this.#maxBytes, toBytes: this.#maxBytes * LOW_WATER };
    const { left, ...eviction } = await evictBeyond(this.#root, bounds);
    this.#bytes = left;
    if (left > this.#maxBytes) this.#nextSearchAt = performance.now() + NEXT_SEARCH_MS;
    this.#tell(eviction);
  }

  #tell(eviction: Eviction): void {
    if (eviction.artifacts > 0) this.#evicted(eviction);
  }
}
