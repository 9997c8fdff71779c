/**
 * Makes room in a cache folder: what was used longest ago goes first, and nothing goes that is in use.
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
  /** Artifacts that should have gone and could not be removed. */
  readonly stuck: number;
}

/** Room is made below the bound, so that it is not made again for the next artifact. */
const LOW_WATER = 0.9;
/** Where what is in use takes all the room, it is looked for again no sooner than this. */
const NEXT_SEARCH_MS = 60_000;

/** The artifacts to remove, so that at least `bytes` go: used longest ago first, none in use. */
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
 * Where the folder holds more than `maxBytes`, removes artifacts until it holds `toBytes`, as far as nothing is in use.
 * The result says what was removed and how much is left.
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

/** Removes these, but none that somebody has come for meanwhile. What may not be removed stays. */
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

/** Has somebody come for it while others were removed? */
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
  /** What it holds, as last seen and with what was stored since; unknown before the first look. */
  #bytes = Number.POSITIVE_INFINITY;
  #nextSearchAt = Number.NEGATIVE_INFINITY;
  #searching: Promise<void> | undefined;

  constructor(root: string, maxBytes: number, evicted: (eviction: Eviction) => void) {
    this.#root = root;
    this.#maxBytes = maxBytes;
    this.#evicted = evicted;
  }

  /** Takes note of what was stored, and makes room if it has become too much. */
  async stored(bytes: number): Promise<void> {
    this.#bytes += bytes;
    if (this.#bytes <= this.#maxBytes || performance.now() < this.#nextSearchAt) return;
    this.#searching ??= this.#search().finally(() => (this.#searching = undefined));
    await this.#searching;
  }

  /** Removes what is not in use, until so many bytes have gone; whether anything has. */
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
