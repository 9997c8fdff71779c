/**
 * Files that were read and parsed, so that of thousands only those are parsed again that are not what they were.
 *
 * Invariant: what is remembered is what the file holds. A file is told by its identity, its size and both of its
 * times, which are looked at before it is read; one that was changed a moment ago is read again the next time, since
 * a clock's tick may hide a second change.
 *
 * @module
 */

import { stat } from "node:fs/promises";
import type { Parsed } from "./diagnostic.ts";

/** No file system's clock ticks more slowly. */
const SETTLED_MS = 2_000;
const NANOSECONDS_PER_MS = 1_000_000n;

interface Remembered<Value> {
  readonly stamp: string;
  readonly parsed: Parsed<Value>;
}

export class ParsedFiles<Value> {
  readonly #parse: (path: string) => Promise<Parsed<Value>>;
  readonly #now: () => number;
  readonly #files = new Map<string, Remembered<Value>>();

  /** `parse` reads a file and parses it. Where it rejects, so does `load`. */
  constructor(parse: (path: string) => Promise<Parsed<Value>>, now: () => number = Date.now) {
    this.#parse = parse;
    this.#now = now;
  }

  /** What the file holds now. */
  async load(path: string): Promise<Parsed<Value>> {
    const stamp = await stampOf(path, this.#now());
    const known = this.#files.get(path);
    if (known !== undefined && known.stamp === stamp) return known.parsed;
    const parsed = await this.#parse(path);
    if (stamp === undefined) this.#files.delete(path);
    else this.#files.set(path, { stamp, parsed });
    return parsed;
  }

  /** Forgets all other files. */
  keepOnly(paths: ReadonlySet<string>): void {
    for (const path of this.#files.keys()) if (!paths.has(path)) this.#files.delete(path);
  }
}

/** `undefined` where a file cannot be told from what it will be in a moment. */
async function stampOf(path: string, nowMs: number): Promise<string | undefined> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    const changedNs = mtimeNs > ctimeNs ? mtimeNs : ctimeNs;
    if (nowMs - Number(changedNs / NANOSECONDS_PER_MS) < SETTLED_MS) return undefined;
    return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
  } catch {
    // Reading it tells what is wrong.
    return undefined;
  }
}
