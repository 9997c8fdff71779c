/**
 * What a guest says in one call: lines of the logging interface and of its standard streams, under one budget
 * of bytes. Standard output becomes one record a line, with control characters escaped, so that a guest can
 * neither forge a record nor steer a terminal. What is said before the instance has a call (while it is
 * instantiated) is kept and belongs to the call that it serves. Bounded: once the budget is spent, everything
 * after is dropped and counted.
 *
 * @module
 */

import type { LogLevel } from "../contract/request.ts";

/** Where records go once there is a call. */
export interface LogSink {
  log(level: LogLevel, message: string): void;
  output(stream: OutputStreamNumber, text: string): void;
}

/** 1 is standard output, 2 is standard error. */
export type OutputStreamNumber = 1 | 2;

/** A record counts as at least so many bytes: otherwise empty ones would cost nothing and have no end. */
const MIN_RECORD_BYTES = 16;

/** The largest count that fits its message. */
const MAX_DROPPED_BYTES = 0xffff_ffff;

const NEWLINE = 0x0a;

export class GuestLog {
  #leftBytes: number;
  #droppedBytes = 0;
  #sink: LogSink | undefined;
  #early: Array<(sink: LogSink) => void> = [];
  #partial: readonly [LineBuffer, LineBuffer] | undefined;

  constructor(maxBytes: number) {
    this.#leftBytes = maxBytes;
  }

  /** Records go to `sink` from now on, the ones said so far first. */
  attach(sink: LogSink): void {
    this.#sink = sink;
    for (const deliver of this.#early) deliver(sink);
    this.#early = [];
  }

  log(level: LogLevel, message: string): void {
    const bytes = Buffer.byteLength(message);
    if (this.#charge(Math.max(bytes, MIN_RECORD_BYTES), bytes)) this.#deliver((sink) => sink.log(level, message));
  }

  /** Bytes that the guest wrote to a standard stream. They may change once this returns. */
  write(stream: OutputStreamNumber, bytes: Uint8Array): void {
    this.#partial ??= [new LineBuffer(), new LineBuffer()];
    const line = this.#partial[stream - 1] as LineBuffer;
    for (let from = 0; from < bytes.length;) {
      const newline = bytes.indexOf(NEWLINE, from);
      const to = newline === -1 ? bytes.length : newline;
      this.#append(line, bytes.subarray(from, to));
      if (newline !== -1) this.#emit(stream, line);
      from = to + 1;
    }
  }

  /** Ends the unfinished lines; returns how many bytes were dropped. */
  finish(): number {
    if (this.#partial !== undefined) {
      this.#emit(1, this.#partial[0]);
      this.#emit(2, this.#partial[1]);
    }
    return Math.min(this.#droppedBytes, MAX_DROPPED_BYTES);
  }

  /** Of a line that crosses the budget, the part within it is kept. */
  #append(line: LineBuffer, bytes: Uint8Array): void {
    const kept = Math.min(bytes.length, this.#leftBytes);
    line.append(bytes.subarray(0, kept));
    this.#leftBytes -= kept;
    this.#droppedBytes += bytes.length - kept;
  }

  #emit(stream: OutputStreamNumber, line: LineBuffer): void {
    const bytes = line.take();
    if (bytes.length === 0) return;
    this.#leftBytes = Math.max(0, this.#leftBytes - Math.max(0, MIN_RECORD_BYTES - bytes.length));
    const text = escapeControls(bytes.toString("utf8"));
    this.#deliver((sink) => sink.output(stream, text));
  }

  #charge(cost: number, bytes: number): boolean {
    if (cost <= this.#leftBytes) {
      this.#leftBytes -= cost;
      return true;
    }
    this.#leftBytes = 0;
    this.#droppedBytes += bytes;
    return false;
  }

  #deliver(deliver: (sink: LogSink) => void): void {
    if (this.#sink === undefined) this.#early.push(deliver);
    else deliver(this.#sink);
  }
}

/** The bytes of a line so far; grows by doubling, so that writing byte by byte stays cheap. */
class LineBuffer {
  #bytes = Buffer.alloc(0);
  #length = 0;

  append(bytes: Uint8Array): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(256, needed, this.#bytes.length * 2));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = needed;
  }

  /** The line; the buffer starts anew. Valid until the next {@link append}. */
  take(): Buffer {
    const line = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return line;
  }
}

/** Control characters but the tab, line and paragraph separators, and what reverses the direction of text. */
const CONTROLS = /[^\P{Cc}\t]|[\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Makes text harmless for a terminal and for whoever reads one record a line. */
export function escapeControls(text: string): string {
  return text.replace(CONTROLS, (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`);
}
