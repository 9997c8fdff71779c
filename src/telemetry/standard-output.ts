/**
 * Standard output for a log: written without waiting for the reader, in batches of a few milliseconds, since a write
 * for each record costs more than making the record. When the process ends, the rest is written in order, within a
 * bounded time.
 *
 * Whatever happens to the other end (a full disk, a closed terminal, a pipe without a reader), the process keeps
 * running. Records are dropped and counted, and the log reports that once it can be written again. Where a record was
 * written only in part, a line feed ends it before the next one.
 *
 * @module
 */

import { openOutput, type OutputWriter, sleep, type WriteResult } from "./output-writer.ts";

/** Bytes that may wait for a slow reader before records are dropped. */
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024;
/** Records are written when this many characters wait … */
const BATCH_CHARACTERS = 64 * 1024;
/** … or when the first of them is this old. */
const BATCH_MS = 10;
/** The first pause before another write to a full output; each further pause is longer, up to the next bound. */
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 50;
/** How long writing the rest may take when the process ends. */
const LAST_FLUSH_MS = 1_000;

const LINE_FEED = 0x0a;
const STANDARD_OUTPUT = 1;

/** Why records were dropped: the reader is too slow, or writing fails. */
export type DropReason = "slow-reader" | "write-failed";

/** Records dropped since the last report. `code`: the system's code for the last write that failed. */
export interface MissedRecords {
  readonly records: number;
  readonly reason: DropReason;
  readonly code?: string;
}

/** Lines that are written together. */
interface Chunk {
  bytes: Uint8Array;
  /** Bytes that are written. */
  written: number;
  /** Does it begin with a line feed that ends a torn line? */
  mends: boolean;
}

export class StandardOutput {
  readonly #writer: OutputWriter;
  #batch = "";
  #timer: NodeJS.Timeout | undefined;
  readonly #queue: Chunk[] = [];
  #queuedBytes = 0;
  #state: "idle" | "writing" | "pausing" | "ended" = "idle";
  #pause: NodeJS.Timeout | undefined;
  #pauseMs = FIRST_PAUSE_MS;
  /** Is the last line written without its end? */
  #isTorn = false;
  readonly #dropped: Record<DropReason, number> = { "slow-reader": 0, "write-failed": 0 };
  readonly #missed: Record<DropReason, number> = { "slow-reader": 0, "write-failed": 0 };
  #failureCode = "";
  #tell: (missed: MissedRecords) => void = () => undefined;

  constructor(writer: OutputWriter = openOutput(STANDARD_OUTPUT)) {
    this.#writer = writer;
    process.on("beforeExit", () => this.flush());
    process.prependListener("exit", () => this.end());
  }

  /** Takes a line, including its line feed. */
  write(line: string): void {
    this.#batch += line;
    if (this.#batch.length >= BATCH_CHARACTERS) this.flush();
    // The timer does not keep the process alive: the exit writes the rest.
    else this.#timer ??= setTimeout(() => this.flush(), BATCH_MS).unref();
  }

  /** Starts to write all that was taken so far. */
  flush(): void {
    this.#enqueue();
    this.#pump();
  }

  /** The process is exiting: writes the rest on this thread, as far as `LAST_FLUSH_MS` allows. */
  end(): void {
    const untilMs = performance.now() + LAST_FLUSH_MS;
    clearTimeout(this.#pause);
    if (this.#state === "writing") {
      const result = this.#writer.awaitNow(untilMs);
      this.#settle(result);
      // Another write would block this thread as that one blocks its own.
      if (result.kind !== "written") return;
    }
    this.#state = "ended";
    for (this.#enqueue(); this.#queue.length > 0; this.#enqueue()) {
      const result = this.#writer.writeNow(this.#next());
      this.#settle(result);
      if (result.kind !== "full") continue;
      if (performance.now() >= untilMs) return;
      sleep(FIRST_PAUSE_MS);
    }
  }

  /** Records that were dropped so far. */
  get dropped(): Readonly<Record<DropReason, number>> {
    return this.#dropped;
  }

  /** Calls `missed` with what was dropped, once writing works again and everything that waited is written. */
  onMissed(missed: (missed: MissedRecords) => void): void {
    this.#tell = missed;
  }

  #enqueue(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#batch === "") return;
    const bytes = Buffer.from(this.#batch);
    this.#batch = "";
    if (this.#queuedBytes + bytes.length > MAX_BUFFERED_BYTES) return this.#drop("slow-reader", bytes);
    this.#queue.push({ bytes, written: 0, mends: false });
    this.#queuedBytes += bytes.length;
  }

  #pump(): void {
    while (this.#state === "idle" && this.#queue.length > 0) {
      this.#state = "writing";
      const result = this.#writer.write(this.#next(), (later) => {
        this.#resume(later);
        this.#pump();
      });
      if (result === "pending") return;
      this.#resume(result);
    }
  }

  /** The bytes to write next, of the first chunk. */
  #next(): Uint8Array {
    const [chunk] = this.#queue;
    if (chunk === undefined) return NOTHING;
    if (this.#isTorn && chunk.written === 0 && !chunk.mends) {
      chunk.bytes = Buffer.concat([LINE_END, chunk.bytes]);
      chunk.mends = true;
      this.#queuedBytes += LINE_END.length;
    }
    return chunk.bytes.subarray(chunk.written);
  }

  #resume(result: WriteResult): void {
    this.#state = "idle";
    this.#settle(result);
    if (result.kind !== "full") return;
    this.#state = "pausing";
    this.#pause = setTimeout(() => {
      this.#state = "idle";
      this.#pump();
    }, this.#pauseMs).unref();
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
  }

  #settle(result: WriteResult): void {
    const [chunk] = this.#queue;
    if (chunk === undefined || result.kind === "full") return;
    if (result.kind === "failed") {
      this.#failureCode = result.code;
      this.#leave(chunk);
      this.#drop("write-failed", chunk.bytes.subarray(Math.max(chunk.written, chunk.mends ? LINE_END.length : 0)));
      return;
    }
    this.#pauseMs = FIRST_PAUSE_MS;
    chunk.written += result.bytes;
    this.#queuedBytes -= result.bytes;
    this.#isTorn = chunk.bytes[chunk.written - 1] !== LINE_FEED;
    if (chunk.written < chunk.bytes.length) return;
    this.#leave(chunk);
    if (this.#queue.length === 0) this.#tellMissed();
  }

  #leave(chunk: Chunk): void {
    this.#queue.shift();
    this.#queuedBytes -= chunk.bytes.length - chunk.written;
  }

  #drop(reason: DropReason, bytes: Uint8Array): void {
    const records = linesOf(bytes);
    this.#dropped[reason] += records;
    this.#missed[reason] += records;
  }

  #tellMissed(): void {
    for (const reason of ["slow-reader", "write-failed"] as const) {
      const records = this.#missed[reason];
      if (records === 0) continue;
      this.#missed[reason] = 0;
      this.#tell({ records, reason, ...(reason === "write-failed" && { code: this.#failureCode }) });
    }
  }
}

const NOTHING = new Uint8Array(0);
const LINE_END = Uint8Array.of(LINE_FEED);

function linesOf(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, at + 1)) lines += 1;
  return lines;
}
