/**
 * Writes to a descriptor without blocking the thread, however slowly its reader reads, or not at all.
 *
 * Pipes, sockets and terminals are in non-blocking mode: the caller tries again later with what does not fit now. Files
 * are written in a thread of libuv's pool, since any write to a disk may take long.
 *
 * Pipes never use the pool: a write to a full pipe might never end, and a process cannot end before its pool.
 *
 * @module
 */

import { constants, fstatSync, openSync, write, writeSync } from "node:fs";
import { isatty } from "node:tty";

/** The result of a write. `bytes`: how many bytes were written, at least one. */
export type WriteResult =
  | { readonly kind: "written"; readonly bytes: number }
  /** No bytes were written: the reader must catch up. */
  | { readonly kind: "full" }
  /** No bytes were written; the next try may fail as well. `code` is the system's. */
  | { readonly kind: "failed"; readonly code: string };

export interface OutputWriter {
  /** Writes; one write at a time. `done` is called if the result is `pending`. */
  write(bytes: Uint8Array, done: (result: WriteResult) => void): WriteResult | "pending";
  /** When the process ends: writes on this thread. */
  writeNow(bytes: Uint8Array): WriteResult;
  /** When the process ends: waits until `untilMs` for the result of the write in progress. */
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

/**
 * Non-blocking mode is a property of the open file, which the shell and Node use too, so the log opens the terminal
 * itself.
 */
function openTerminal(descriptor: number): OutputWriter {
  const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
  try {
    return new PromptWriter(openSync(`/proc/self/fd/${descriptor}`, O_WRONLY | O_NONBLOCK | O_NOCTTY));
  } catch {
    // The terminal belongs to another user, or the system has no /proc.
    return new PooledWriter(descriptor);
  }
}

/** For a descriptor that never blocks. */
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

  /** There is never a write in progress. */
  awaitNow(): WriteResult {
    return FULL;
  }
}

/** For a descriptor that may block: writes in another thread. */
class PooledWriter implements OutputWriter {
  readonly #descriptor: number;
  #underWay: { readonly bytes: number; readonly sizeBefore: number } | undefined;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  write(bytes: Uint8Array, done: (result: WriteResult) => void): "pending" {
    this.#underWay = { bytes: bytes.length, sizeBefore: this.#size() };
    write(this.#descriptor, bytes, (error, written) => {
      this.#underWay = undefined;
      done(resultOf(error, written));
    });
    return "pending";
  }

  writeNow(bytes: Uint8Array): WriteResult {
    try {
      return resultOf(null, writeSync(this.#descriptor, bytes));
    } catch (error) {
      return resultOf(error, 0);
    }
  }

  /** The result would arrive as an event, and the exiting process handles none. So it watches the file grow. */
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

/** Blocks this thread. Only for a process that is exiting. */
export function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)), 0, 0, ms);
}

const FULL: WriteResult = { kind: "full" };

/** "Try again": there is no room, or a signal interrupted the write. */
const FULL_CODES: ReadonlySet<string> = new Set(["EAGAIN", "EWOULDBLOCK", "EINTR", "EBUSY"]);

function resultOf(error: unknown, bytes: number): WriteResult {
  if (error === null) return bytes > 0 ? { kind: "written", bytes } : FULL;
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
  return FULL_CODES.has(code) ? FULL : { kind: "failed", code };
}
