/**
 * Writing to a descriptor that somebody else reads, at whatever pace or not at all: no call here holds up the thread.
 *
 * Pipes, sockets and terminals are written to without blocking: what does not fit now is tried again later. Files are
 * written to in a thread of libuv's pool, since a disk may take its time over any write.
 *
 * A write of the pool to a pipe that is full would never end, and a process does not end before its pool does.
 *
 * @module
 */

import { constants, fstatSync, openSync, write, writeSync } from "node:fs";
import { isatty } from "node:tty";

/** What happened to bytes. `bytes`: how many of them were written, at least one. */
export type WriteResult =
  | { readonly kind: "written"; readonly bytes: number }
  /** None: the reader has to catch up. */
  | { readonly kind: "full" }
  /** None, and the next try may end otherwise or not. `code` is the system's. */
  | { readonly kind: "failed"; readonly code: string };

export interface OutputWriter {
  /** Writes; one write at a time. `done` follows where the result says so. */
  write(bytes: Uint8Array, done: (result: WriteResult) => void): WriteResult | "under-way";
  /** When the process ends: writes on this thread. */
  writeNow(bytes: Uint8Array): WriteResult;
  /** When the process ends: what happened to the write in progress, as far as can be told until then. */
  awaitNow(untilMs: number): WriteResult;
}

/** A writer for standard output or another descriptor that this process was started with. */
export function openOutput(descriptor: number): OutputWriter {
  if (fstatSync(descriptor).isFile()) return new PooledWriter(descriptor);
  if (isatty(descriptor)) return openTerminal(descriptor);
  // Node puts a pipe or a socket of standard output into non-blocking mode when it makes this stream.
  void process.stdout;
  return new PromptWriter(descriptor);
}

/** Blocking or not belongs to the open file, which the shell and Node use too: so this one gets a file of its own. */
function openTerminal(descriptor: number): OutputWriter {
  const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
  try {
    return new PromptWriter(openSync(`/proc/self/fd/${descriptor}`, O_WRONLY | O_NONBLOCK | O_NOCTTY));
  } catch {
    // A terminal of another user, or a system without /proc.
    return new PooledWriter(descriptor);
  }
}

/** On a descriptor that never blocks. */
class PromptWriter implements OutputWriter {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  write(bytes: Uint8Array): WriteResult {
    return this.writeNow(bytes);
  }

  writeNow(bytes: Uint8Array): WriteResult {
    try {
      return resultOf(null, writeSync(this.#descriptor, bytes));
    } catch (error) {
      return resultOf(error, 0);
    }
  }

  /** None ever is. */
  awaitNow(): WriteResult {
    return FULL;
  }
}

/** On a descriptor that may block, in another thread. */
class PooledWriter implements OutputWriter {
  readonly #descriptor: number;
  #underWay: { readonly bytes: number; readonly sizeBefore: number } | undefined;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  write(bytes: Uint8Array, done: (result: WriteResult) => void): "under-way" {
    this.#underWay = { bytes: bytes.length, sizeBefore: this.#size() };
    write(this.#descriptor, bytes, (error, written) => {
      this.#underWay = undefined;
      done(resultOf(error, written));
    });
    return "under-way";
  }

  writeNow(bytes: Uint8Array): WriteResult {
    try {
      return resultOf(null, writeSync(this.#descriptor, bytes));
    } catch (error) {
      return resultOf(error, 0);
    }
  }

  /** The result comes as an event, and there will be no more events: but the file grows. */
  awaitNow(untilMs: number): WriteResult {
    if (this.#underWay === undefined) return FULL;
    const { bytes, sizeBefore } = this.#underWay;
    while (this.#size() < sizeBefore + bytes) {
      if (performance.now() >= untilMs) return { kind: "failed", code: "ETIMEDOUT" };
      sleep(1);
    }
    return { kind: "written", bytes };
  }

  #size(): number {
    return fstatSync(this.#descriptor).size;
  }
}

/** Holds this thread: for a process that ends. */
export function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)), 0, 0, ms);
}

const FULL: WriteResult = { kind: "full" };

/** "Try again": there is no room, or a signal came between. */
const FULL_CODES: ReadonlySet<string> = new Set(["EAGAIN", "EWOULDBLOCK", "EINTR", "EBUSY"]);

function resultOf(error: unknown, bytes: number): WriteResult {
  if (error === null) return bytes > 0 ? { kind: "written", bytes } : FULL;
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
  return FULL_CODES.has(code) ? FULL : { kind: "failed", code };
}
