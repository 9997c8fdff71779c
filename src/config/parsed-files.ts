/**
 * Files that were read and parsed. Of thousands, only those are read again that seem to have changed, and only those parsed
 * whose content differs.
 *
 * Invariant: what is remembered is what the file holds. A file is recognised by its identity, its size and both of its
 * times, which are taken before it is read. One that changed a moment ago is read again the next time, since a clock's tick
 * may hide a second change. One that could not be read is always tried again.
 *
 * @module
 */

import { stat } from "node:fs/promises";
import type { Digest } from "../contract/names.ts";
import type { Parsed } from "./diagnostic.ts";
import type { TextFile } from "./text-file.ts";

/** No file system's clock ticks more slowly. */
const SETTLED_MS = 2_000;
const NANOSECONDS_PER_MS = 1_000_000n;

interface Remembered<Value> {
  /** `undefined` if it must be read again. */
  readonly stamp: string | undefined;
  readonly digest: Digest;
  readonly parsed: Parsed<Value>;
}

export interface ParsedFilesOptions<Value> {
  /** If it rejects, so does `load`. */
  readonly read: (path: string) => Promise<Parsed<TextFile>>;
  readonly parse: (text: string, path: string) => Parsed<Value> | Promise<Parsed<Value>>;
  /** Called with each content that was read; must not throw. */
  readonly onRead?: (path: string, digest: Digest) => void;
  readonly now?: () => number;
}

export class ParsedFiles<Value> {
  readonly #options: ParsedFilesOptions<Value>;
  readonly #files = new Map<string, Remembered<Value>>();

  constructor(options: ParsedFilesOptions<Value>) {
    this.#options = options;
  }

  /** What the file holds now. */
  async load(path: string): Promise<Parsed<Value>> {
    const { read, parse, onRead, now = Date.now } = this.#options;
    const stamp = await stampOf(path, now());
    const known = this.#files.get(path);
    if (known?.stamp !== undefined && known.stamp === stamp) return known.parsed;
    const file = await read(path);
    if (file.kind === "invalid") {
      this.#files.delete(path);
      return file;
    }
    const { text, digest } = file.value;
    onRead?.(path, digest);
    const parsed = known?.digest === digest ? known.parsed : await parse(text, path);
    this.#files.set(path, { stamp, digest, parsed });
    return parsed;
  }

  /** Marks a file to be read again, even if nothing about it seems to have changed. */
  refresh(path: string): void {
    const known = this.#files.get(path);
    if (known !== undefined) this.#files.set(path, { ...known, stamp: undefined });
  }

  /** Forgets all other files. */
  keepOnly(paths: ReadonlySet<string>): void {
    for (const path of this.#files.keys()) if (!paths.has(path)) this.#files.delete(path);
  }
}

/** `undefined` if the file may change again without a visible difference. */
async function stampOf(path: string, nowMs: number): Promise<string | undefined> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    const changedNs = mtimeNs > ctimeNs ? mtimeNs : ctimeNs;
    if (nowMs - Number(changedNs / NANOSECONDS_PER_MS) < SETTLED_MS) return undefined;
    return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
  } catch {
    // Reading it shows what is wrong.
    return undefined;
  }
}
