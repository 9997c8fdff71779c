/**
 * Standard output for a log: written without waiting for the reader, a few milliseconds' worth of records at a time.
 * A write for each record costs more than making the record.
 *
 * @module
 */

import { pino } from "pino";

/** Bytes that may wait for a slow reader before records are dropped. */
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024;
/** Records are written when there are so many bytes of them (less than the 16 KiB that are written at a time) … */
const BATCH_BYTES = 12 * 1024;
/** … or when the first of them is so old. */
const BATCH_MS = 10;

/** What lines go to: collects them, and emits `drop` for a line that found no room, `drain` when all are written. */
export interface BufferedDestination {
  write(line: string): unknown;
  flush(): void;
  on(event: "drop" | "drain", listener: () => void): unknown;
}

export class StandardOutput {
  readonly #destination: BufferedDestination;
  #flush: NodeJS.Timeout | undefined;

  constructor(destination: BufferedDestination = standardDestination()) {
    this.#destination = destination;
  }

  /** Takes a line with its end. What is not written when the process exits is written then. */
  write(line: string): void {
    this.#destination.write(line);
    // Not a reason to stay: the exit writes the rest.
    this.#flush ??= setTimeout(() => this.flush(), BATCH_MS).unref();
  }

  /** Begins to write what there is. */
  flush(): void {
    clearTimeout(this.#flush);
    this.#flush = undefined;
    this.#destination.flush();
  }

  /** `missed` is told how many lines a slow reader did not get, when it has caught up. */
  onMissed(missed: (lines: number) => void): void {
    let dropped = 0;
    this.#destination.on("drop", () => {
      dropped += 1;
    });
    this.#destination.on("drain", () => {
      if (dropped === 0) return;
      const lines = dropped;
      dropped = 0;
      missed(lines);
    });
  }
}

function standardDestination(): BufferedDestination {
  return pino.destination({ dest: 1, sync: false, minLength: BATCH_BYTES, maxLength: MAX_BUFFERED_BYTES });
}
