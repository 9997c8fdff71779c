/**
 * Watches the memory of one process while it works: what it allocated for itself, in memory or swapped out;
 * files that it shares with others (Node's own code) do not count. A look costs some twenty microseconds.
 *
 * Only on Linux; elsewhere nothing is watched.
 *
 * @module
 */

import { closeSync, openSync, readSync } from "node:fs";
import process from "node:process";
import { FIXED_LIMITS } from "../../contract/limits.ts";

const KIB = 1024;

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
  /** The process holds more than it may. The watch is over then. */
  readonly exceeded: (usedBytes: number) => void;
}

export class MemoryWatch {
  readonly #options: MemoryWatchOptions;
  /** Opened once: it stays this process's, even when its number is given to another. */
  #status: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: MemoryWatchOptions) {
    this.#options = options;
    if (process.platform === "linux") this.#status = openStatus(options.pid);
  }

  /** Looks from now on until the process is idle. */
  wake(): void {
    if (this.#status === undefined) return;
    this.#timer ??= setInterval(() => this.#look(), FIXED_LIMITS.memoryWatchMs);
  }

  /** Ends the watch. Idempotent. */
  close(): void {
    this.#sleep();
    if (this.#status !== undefined) closeSync(this.#status);
    this.#status = undefined;
  }

  #look(): void {
    const { maxBytes, isBusy, exceeded } = this.#options;
    if (this.#status === undefined) return;
    const usedBytes = readOwnMemory(this.#status);
    if (usedBytes > maxBytes) {
      this.close();
      exceeded(usedBytes);
    } else if (!isBusy()) this.#sleep();
  }

  #sleep(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function openStatus(pid: number): number | undefined {
  try {
    return openSync(`/proc/${pid}/status`, "r");
  } catch {
    // It ended already, or this machine does not show processes.
    return undefined;
  }
}

/** 0 for a process that has ended. */
function readOwnMemory(status: number): number {
  const buffer = Buffer.allocUnsafe(STATUS_BYTES);
  try {
    const text = buffer.toString("latin1", 0, readSync(status, buffer, 0, STATUS_BYTES, 0));
    let kib = 0;
    for (const [, value] of text.matchAll(OWN_MEMORY)) kib += Number(value);
    return kib * KIB;
  } catch {
    // The process is gone; whoever owns it is told by its exit.
    return 0;
  }
}
