/**
 * Watches the memory of one process while it is busy: what it allocated for itself, resident or swapped out. Files that
 * it shares with others (Node's own code) do not count. A look costs some twenty microseconds.
 *
 * Only on Linux; elsewhere nothing is watched.
 *
 * @module
 */

import { KIB } from "../../contract/limit-row.ts";
import { FIXED_LIMITS } from "../../contract/limits.ts";
import { ProcFile } from "./proc-file.ts";

/** The file has some sixty short lines. */
const STATUS_BYTES = 4 * KIB;

/** `Name: 123 kB`, for the memory that is the process's own. */
const OWN_MEMORY = /^(?:RssAnon|RssShmem|VmSwap):\s+(\d+) kB$/gm;

export interface MemoryWatchOptions {
  readonly pid: number;
  readonly maxBytes: number;
  /** The watch sleeps while the process has nothing to do. */
  readonly isBusy: () => boolean;
  /** The watch sleeps from now on. */
  readonly slept: () => void;
  /** The process holds more than it may. The watch has ended by then. */
  readonly exceeded: (usedBytes: number) => void;
}

export class MemoryWatch {
  readonly #options: MemoryWatchOptions;
  readonly #status: ProcFile;
  #timer: NodeJS.Timeout | undefined;

  /** Throws where this process has no descriptor left for the watch: a process must not run unwatched. */
  constructor(options: MemoryWatchOptions) {
    this.#options = options;
    this.#status = new ProcFile(`/proc/${options.pid}/status`, STATUS_BYTES);
  }

  /** Looks from now on until the process is idle. */
  wake(): void {
    if (!this.#status.isOpen) return;
    this.#timer ??= setInterval(() => this.#look(), FIXED_LIMITS.memoryWatchMs);
  }

  /** Ends the watch. Idempotent. */
  close(): void {
    this.#sleep();
    this.#status.close();
  }

  #look(): void {
    const { maxBytes, isBusy, slept, exceeded } = this.#options;
    const usedBytes = ownMemoryOf(this.#status.read() ?? "");
    if (usedBytes > maxBytes) {
      this.close();
      exceeded(usedBytes);
    } else if (!isBusy()) {
      this.#sleep();
      slept();
    }
  }

  #sleep(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** 0 for a process that has ended. */
function ownMemoryOf(status: string): number {
  let kib = 0;
  for (const [, value] of status.matchAll(OWN_MEMORY)) kib += Number(value);
  return kib * KIB;
}
