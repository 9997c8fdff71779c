/**
 * A file in /proc that tells of one process, kept open: it stays that process's, even when its number is given to
 * another one. A look costs some ten microseconds.
 *
 * Only on Linux; elsewhere there is none.
 *
 * @module
 */

import { closeSync, openSync, readSync } from "node:fs";
import process from "node:process";

/** What an attempt to open it is answered with where there is nothing to read, now or later. */
const ABSENT: ReadonlySet<unknown> = new Set(["ENOENT", "ESRCH", "EACCES", "EPERM"]);

export class ProcFile {
  #descriptor: number | undefined;
  readonly #maxBytes: number;

  /**
   * Where the process has ended, or this kernel does not keep such a file, nothing is told. Throws where the file is
   * there and cannot be opened now: for the lack of a descriptor, as a rule.
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

  /** Can it tell anything? */
  get isOpen(): boolean {
    return this.#descriptor !== undefined;
  }

  /** As it is now; `undefined` where the process is gone, of which whoever owns it is told by its exit. */
  read(): string | undefined {
    if (this.#descriptor === undefined) return undefined;
    const buffer = Buffer.allocUnsafe(this.#maxBytes);
    try {
      return buffer.toString("latin1", 0, readSync(this.#descriptor, buffer, 0, this.#maxBytes, 0));
    } catch {
      return undefined;
    }
  }

  /** Idempotent; nothing is told afterwards. */
  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
