/**
 * Standard output for a log: written without waiting for the reader, a few milliseconds' worth of records at a time.
 * A write for each record costs more than making the record. What is not written when the process exits is written
 * then.
 *
 * @module
 */

import { pino } from "pino";

/** Bytes that may wait for a slow reader before records are dropped. */
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024;
/** Records are written when there are so many characters of them … */
const BATCH_CHARACTERS = 64 * 1024;
/** … or when the first of them is so old. */
const BATCH_MS = 10;

/** What batches go to. Emits `drop` with a batch that it has no room for, and `drain` when all it has is written. */
export interface BatchDestination {
  write(lines: string): unknown;
  on(event: "drop", listener: (lines: string) => void): unknown;
  on(event: "drain", listener: () => void): unknown;
}

export class StandardOutput {
  readonly #destination: BatchDestination;
  #batch = "";
  #timer: NodeJS.Timeout | undefined;

  constructor(destination: BatchDestination = standardDestination()) {
    this.#destination = destination;
    // Before the destination's own listeners, which write what it has and close it.
    for (const event of ["beforeExit", "exit"] as const) process.prependListener(event, () => this.flush());
  }

  /** Takes a line with its end. */
  write(line: string): void {
    this.#batch += line;
    if (this.#batch.length >= BATCH_CHARACTERS) this.flush();
    // Not a reason to stay: the exit writes the rest.
    else this.#timer ??= setTimeout(() => this.flush(), BATCH_MS).unref();
  }

  /** Hands over what there is. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#batch === "") return;
    const batch = this.#batch;
    this.#batch = "";
    this.#destination.write(batch);
  }

  /** `missed` is told how many lines a slow reader did not get, when it has caught up. */
  onMissed(missed: (lines: number) => void): void {
    let dropped = 0;
    this.#destination.on("drop", (lines) => {
      dropped += lines.split("\n").length - 1;
    });
    this.#destination.on("drain", () => {
      if (dropped === 0) return;
      const lines = dropped;
      dropped = 0;
      missed(lines);
    });
  }
}

function standardDestination(): BatchDestination {
  return pino.destination({ dest: 1, sync: false, maxLength: MAX_BUFFERED_BYTES });
}
