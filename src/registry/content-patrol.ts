/**
 * Compares files with their last known content, some at a time, to find changes that show neither in size nor in times: on a
 * file system that keeps no change time, or when a clock's tick hid the second of two changes.
 *
 * Files are read in pieces and one after another, so that the host's thread is never blocked for long. Time bounds how
 * many are read in one walk.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { constants, open } from "node:fs/promises";
import { REPLICA_LIMITS } from "../contract/limits.ts";
import type { Digest } from "../contract/names.ts";
import type { ReadContents } from "./read-contents.ts";

const PIECE_BYTES = 256 * 1024;

/** The host never reads a larger file whole. */
const MAX_BYTES = REPLICA_LIMITS.componentBytes.max;

/** Tests replace these. */
export interface PatrolOptions {
  /** Milliseconds; never goes back. */
  readonly clock?: () => number;
}

export class ContentPatrol {
  readonly #contents: ReadContents;
  readonly #clock: () => number;
  /** The rest of the current round. */
  #round: string[] = [];

  constructor(contents: ReadContents, { clock = () => performance.now() }: PatrolOptions = {}) {
    this.#contents = contents;
    this.#clock = clock;
  }

  /**
   * Continues where it stopped, at most once through `paths`, until `budgetMs` have passed; compares at least one file.
   * Returns those whose content differs.
   */
  async walk(paths: readonly string[], budgetMs: number): Promise<ReadonlySet<string>> {
    const endMs = this.#clock() + budgetMs;
    const changed = new Set<string>();
    if (this.#round.length === 0) this.#begin(paths);
    do {
      const path = this.#round.pop();
      if (path === undefined) break;
      if (await this.differs(path)) changed.add(path);
    } while (this.#clock() < endMs);
    return changed;
  }

  /** Does the file's content differ? No if it was never read, or cannot be read now. */
  async differs(path: string): Promise<boolean> {
    if (this.#contents.of(path) === undefined) return false;
    const digest = await digestOfFile(path);
    // Looks up the last content again: the file may have been read meanwhile.
    return digest !== undefined && digest !== this.#contents.of(path);
  }

  #begin(paths: readonly string[]): void {
    this.#contents.keepOnly(new Set(paths));
    this.#round = paths.filter((path) => this.#contents.of(path) !== undefined).toReversed();
  }
}

/** `undefined` if it cannot be read, or is larger than `MAX_BYTES`. */
async function digestOfFile(path: string): Promise<Digest | undefined> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const info = await file.stat();
    if (!info.isFile() || info.size > MAX_BYTES) return undefined;
    const hash = createHash("sha256");
    const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, info.size + 1));
    for (let at = 0; at <= MAX_BYTES;) {
      const { bytesRead } = await file.read(piece, 0, piece.length, at);
      if (bytesRead === 0) return hash.digest("hex") as Digest;
      hash.update(piece.subarray(0, bytesRead));
      at += bytesRead;
    }
    return undefined;
  } catch {
    return undefined;
  }
}
