/**
 * The size of a folder, measured in the background: a query gets the last measurement, and thereby
 * has it measured anew where that is long ago. A folder that takes long to be measured is measured less often.
 *
 * @module
 */

import { lstat, opendir } from "node:fs/promises";
import { join } from "node:path";

/** A measurement is good for so long … */
const FRESH_MS = 60_000;
/** … and for so many times what it took. */
const FRESH_DURATIONS = 100;

export class FolderSize {
  readonly #path: string;
  #bytes: number | undefined;
  #measuring: Promise<void> | undefined;
  #staleAt = Number.NEGATIVE_INFINITY;

  constructor(path: string) {
    this.#path = path;
  }

  /** Bytes of all files in it, as last measured; `undefined` as long as that has not happened. */
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

/** One after the other: it is never urgent. `undefined` where the folder cannot be read. */
async function bytesIn(path: string): Promise<number | undefined> {
  try {
    let bytes = 0;
    for await (const entry of await opendir(path)) {
      const inner = join(path, entry.name);
      // What is gone meanwhile takes no room.
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
