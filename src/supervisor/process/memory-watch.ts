/**
 * Watches the memory of one process while it works: what it allocated for itself, in memory or swapped out;
 * files that it shares with others (Node's own code) do not count. A look costs some twenty microseconds.
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

/** `Name: 123 kB`, of what is the process's own. */
const OWN_MEMORY = /^(?:RssAnon|RssShmem|VmSwap):\s+(\d+) kB$/gm;

/** What a watch works with. */
export interface MemoryWatchOptions {
  readonly pid: number;
  readonly maxBytes: number;
  /** The watch sleeps while the process has nothing to do. */
  readonly isBusy: () => boolean;
  /** It sleeps from now on. */
  readonly slept: () => void;
  /** The process holds more than it may. The watch is over then. */
  readonly exceeded: (usedBytes: number) => void;
}

export class MemoryWatch {
  readonly #options: MemoryWatchOptions;
  readonly #status: ProcFile;
  #timer: NodeJS.Timeout | undefined;

  /** Throws where this process has no descriptor left for it: nothing may run unwatched for that. */
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
