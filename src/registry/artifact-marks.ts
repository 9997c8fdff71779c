/**
 * Which artifacts are in use, for every replica that shares the folder: the modification time of an artifact's folder
 * says when it was last used. A replica renews the marks of the artifacts it holds; one without a recent mark may be removed.
 *
 * A mark is a hint, not a lock: an artifact that is removed in spite of one is compiled again when needed.
 *
 * @module
 */

import { utimes } from "node:fs/promises";
import { FIXED_LIMITS } from "../contract/limits.ts";
import type { CachedArtifact } from "./artifact-folder.ts";

/** So that two renewals may be missed, or the clocks of two machines may differ by as much. */
const RENEWALS_PER_KEEP = 3;

/** Is an artifact in use that was marked then? */
export function isInUse(markedMs: number, nowMs: number = Date.now()): boolean {
  return nowMs - markedMs < FIXED_LIMITS.cacheKeepMs;
}

/** Marks an artifact as used now. Never rejects: if nothing can be written, nothing can be removed either. */
export async function markUsed(directory: string): Promise<void> {
  const now = new Date();
  await utimes(directory, now, now).catch(() => undefined);
}

/** Renews the marks of the artifacts that this process holds. */
export class ArtifactMarks {
  readonly #holders = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #renewing: Promise<void> = Promise.resolve();

  /** Marks the artifact from now on, until the result is called. */
  hold({ directory }: CachedArtifact): () => void {
    this.#holders.set(directory, (this.#holders.get(directory) ?? 0) + 1);
    this.#timer ??= setInterval(() => {
      this.#renewing = this.#renew();
    }, FIXED_LIMITS.cacheKeepMs / RENEWALS_PER_KEEP).unref();
    let isHeld = true;
    return () => {
      if (isHeld) this.#release(directory);
      isHeld = false;
    };
  }

  /** Ends the renewals. Artifacts held stay marked for a while. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#holders.clear();
    await this.#renewing;
  }

  /** Marks all artifacts held, one after another, so that ten thousand do not occupy the disk at once. */
  async #renew(): Promise<void> {
    for (const directory of this.#holders.keys()) await markUsed(directory);
  }

  #release(directory: string): void {
    const holders = (this.#holders.get(directory) ?? 0) - 1;
    if (holders > 0) this.#holders.set(directory, holders);
    else this.#holders.delete(directory);
  }
}
