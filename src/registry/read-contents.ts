/**
 * The digest of the last content read of each file, to detect that a file's content changed, whatever its size and
 * times say.
 *
 * @module
 */

import type { Digest } from "../contract/names.ts";

export class ReadContents {
  readonly #digests = new Map<string, Digest>();

  /** The digest of the file's last content; `undefined` if it was never read. */
  of(path: string): Digest | undefined {
    return this.#digests.get(path);
  }

  /** Records the digest of the content that the caller read and acts on. */
  note(path: string, digest: Digest): void {
    this.#digests.set(path, digest);
  }

  /** Forgets all other files. */
  keepOnly(paths: ReadonlySet<string>): void {
    for (const path of this.#digests.keys()) if (!paths.has(path)) this.#digests.delete(path);
  }
}
