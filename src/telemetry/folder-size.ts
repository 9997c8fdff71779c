/**
 * The size of a folder, measured in the background. A query gets the last measurement, and starts a new one where the
 * last is too old. A folder that takes long to measure is measured less often.
 *
 * @module
 */

import { lstat, opendir } from "node:fs/promises";
import { join } from "node:path";

/** A measurement is fresh for this long … */
const FRESH_MS = 60_000;
/** … or for this many times as long as it took, if that is longer. */
const FRESH_DURATIONS = 100;

export class FolderSize {
  readonly #path: string;
  #bytes: number | undefined;
  #measuring: Promise<void> | undefined;
  #staleAt = Number.NEGATIVE_INFINITY;

  constructor(path: string) {
    this.#path = path;
  }

  /** Bytes of all files in it, as last measured; `undefined` before the first measurement. */
  get bytes(): number | undefined {
    if (performance.now() >= this.#staleAt) void this.measure();
    return this.#bytes;
  }

  /** Measures it now, or joins a measurement in progress. Never rejects: a folder that cannot be read keeps its size. */
  measure(): Promise<void> {
    this.#measuring ??= this.#measure().finally(() => (this.#measuring = undefined));
    return this.#measuring;
  }

  async #measure(): Promise<void> {
    const beganAt = performance.now();
    this.#bytes = (await bytesIn(this.#path)) ?? this.#bytes;
    const now = performance.now();
    this.#staleAt = now + Math.max(FRESH_MS, FRESH_DURATIONS * (now - beganAt));
  }
}

/** Reads one entry after another, since it is never urgent. `undefined` where the folder cannot be read. */
async function bytesIn(path: string): Promise<number | undefined> {
  try {
    let bytes = 0;
    for await (const entry of await opendir(path)) {
      const inner = join(path, entry.name);
      // A file that has been removed meanwhile counts as 0.
      if (entry.isDirectory()) bytes += (await bytesIn(inner)) ?? 0;
      else
        bytes += await lstat(inner).then(
          ({ size }) => size,
          () => 0,
        );
    }
    return bytes;
  } catch {
    return undefined;
  }
}
