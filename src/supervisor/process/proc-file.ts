/**
 * A file in /proc about one process, kept open: it keeps describing that process, even when the kernel gives its number
 * to another one. A look costs some ten microseconds.
 *
 * Only on Linux; elsewhere nothing can be read.
 *
 * @module
 */

import { closeSync, openSync, readSync } from "node:fs";
import process from "node:process";

/** Errors of `open` that mean there is nothing to read, now or later. */
const ABSENT: ReadonlySet<unknown> = new Set(["ENOENT", "ESRCH", "EACCES", "EPERM"]);

export class ProcFile {
  #descriptor: number | undefined;
  readonly #maxBytes: number;

  /**
   * Where the process has ended, or this kernel has no such file, nothing can be read. Throws where the file exists and
   * cannot be opened now, usually because no descriptor is left.
   */
  constructor(path: string, maxBytes: number) {
    this.#maxBytes = maxBytes;
    if (process.platform !== "linux") return;
    try {
      this.#descriptor = openSync(path, "r");
    } catch (error) {
      if (!(error instanceof Error && "code" in error && ABSENT.has(error.code))) throw error;
    }
  }

  get isOpen(): boolean {
    return this.#descriptor !== undefined;
  }

  /** The content now; `undefined` where the process has ended, which its owner learns from its exit. */
  read(): string | undefined {
    if (this.#descriptor === undefined) return undefined;
    const buffer = Buffer.allocUnsafe(this.#maxBytes);
    try {
      return buffer.toString("latin1", 0, readSync(this.#descriptor, buffer, 0, this.#maxBytes, 0));
    } catch {
      return undefined;
    }
  }

  /** Idempotent; nothing can be read afterwards. */
  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
