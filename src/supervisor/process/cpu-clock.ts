/**
 * Reads what the kernel reports about a process's main thread, which executes the guests: its time on a processor, its
 * time waiting for one, and whether it is asleep.
 *
 * @module
 */

import { ProcFile } from "./proc-file.ts";
import type { CpuSample } from "./runner.ts";

const SCHEDSTAT_BYTES = 128;
const STAT_BYTES = 512;
const NANOS_PER_MS = 1e6;

export class CpuClock {
  readonly #schedstat: ProcFile;
  readonly #stat: ProcFile;

  /** Throws as {@link ProcFile} does. */
  constructor(pid: number) {
    this.#schedstat = new ProcFile(`/proc/${pid}/schedstat`, SCHEDSTAT_BYTES);
    try {
      this.#stat = new ProcFile(`/proc/${pid}/stat`, STAT_BYTES);
    } catch (error) {
      this.#schedstat.close();
      throw error;
    }
  }

  /** Can samples be read? */
  get isOpen(): boolean {
    return this.#schedstat.isOpen;
  }

  /** The thread's times up to now; `undefined` where the kernel does not report them, or the process has ended. */
  sample(): CpuSample | undefined {
    // Nanoseconds on a processor, nanoseconds waiting for one.
    const [ran, waited] = this.#schedstat.read()?.split(" ").map(Number) ?? [];
    if (ran === undefined || waited === undefined) return undefined;
    return { atMs: performance.now(), ranMs: ran / NANOS_PER_MS, waitedMs: waited / NANOS_PER_MS };
  }

  /** Does the thread neither run nor wait for a processor? */
  isAsleep(): boolean {
    const text = this.#stat.read();
    // `pid (name) state …`, and the name may hold anything.
    return text !== undefined && text[text.lastIndexOf(")") + 2] !== "R";
  }

  /** Idempotent; nothing can be read afterwards. */
  close(): void {
    this.#schedstat.close();
    this.#stat.close();
  }
}
