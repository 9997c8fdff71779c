/**
 * What was read last of each file, by its digest: so that a file whose content changed is told from one that did not,
 * whatever its size and times say.
 *
 * @module
 */

import type { Digest } from "../contract/names.ts";

export class ReadContents {
  readonly #digests = new Map<string, Digest>();

  /** What was read of the file, whole. */
  of(path: string): Digest | undefined {
    return this.#digests.get(path);
  }

  /** This was read of the file, by whoever acts on it. */
  note(path: string, digest: Digest): void {
    this.#digests.set(path, digest);
  }

  /** Forgets all other files. */
  keepOnly(paths: ReadonlySet<string>): void {
    for (const path of this.#digests.keys()) if (!paths.has(path)) this.#digests.delete(path);
  }
}
