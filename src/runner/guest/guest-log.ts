/**
 * A guest's log of one call: lines of the logging interface and of its standard streams, under one budget of bytes and
 * lines, and under the rate that all calls of the process share. Each line of standard output becomes one record, with
 * control characters escaped, so that a guest can neither forge a record nor control a terminal. Lines from before the
 * instance has a call, from its instantiation, are kept for the call that it serves.
 *
 * Once the budget is spent, everything after is dropped and counted. A line beyond the rate is dropped and counted, too,
 * before it costs the host anything, and takes nothing from the budget.
 *
 * @module
 */

import { FIXED_LIMITS } from "../../contract/limits.ts";
import type { DroppedLog, LogRate } from "../../contract/log-rate.ts";
import type { LogLevel } from "../../contract/request.ts";

/** Where records go once there is a call. */
export interface LogSink {
  log(level: LogLevel, message: string): void;
  output(stream: OutputStreamNumber, text: string): void;
}

/** 1 is standard output, 2 is standard error. */
export type OutputStreamNumber = 1 | 2;

/** The least that a record takes from the budget of bytes: otherwise a guest could log empty records for nothing. */
const MIN_RECORD_BYTES = 16;

/** The largest count that the message `dropped` can hold. */
const MAX_COUNT = 0xffff_ffff;

const NEWLINE = 0x0a;

/** A record from before the call. */
interface EarlyRecord {
  readonly bytes: number;
  readonly deliver: (sink: LogSink) => void;
}

/** The log of one call. */
export class GuestLog {
  readonly #rate: LogRate;
  #leftBytes: number;
  #leftLines: number = FIXED_LIMITS.logLines;
  #droppedLines = 0;
  #droppedBytes = 0;
  #missedBytes = 0;
  #sink: LogSink | undefined;
  #early: EarlyRecord[] = [];
  #partial: readonly [LineBuffer, LineBuffer] | undefined;

  constructor(maxBytes: number, rate: LogRate) {
    this.#leftBytes = maxBytes;
    this.#rate = rate;
  }

  /** From now on records go to `sink`, and first those that were kept so far. */
  attach(sink: LogSink): void {
    this.#sink = sink;
    for (const { bytes, deliver } of this.#early) if (this.#passes(bytes)) deliver(sink);
    this.#early = [];
  }

  log(level: LogLevel, message: string): void {
    const bytes = Buffer.byteLength(message);
    const cost = Math.max(bytes, MIN_RECORD_BYTES);
    if (cost > this.#leftBytes || this.#leftLines === 0) this.#drop(bytes);
    else if (this.#passes(bytes)) {
      this.#leftBytes -= cost;
      this.#leftLines -= 1;
      this.#deliver(bytes, (sink) => sink.log(level, message));
    }
  }

  /** Takes bytes that the guest wrote to a standard stream. They may change once this returns. */
  write(stream: OutputStreamNumber, bytes: Uint8Array): void {
    this.#partial ??= [new LineBuffer(), new LineBuffer()];
    const line = this.#partial[stream - 1] as LineBuffer;
    for (let from = 0; from < bytes.length;) {
      const newline = bytes.indexOf(NEWLINE, from);
      const to = newline === -1 ? bytes.length : newline;
      this.#leftBytes -= line.append(bytes.subarray(from, to), this.#leftBytes);
      if (newline !== -1) this.#emit(stream, line);
      from = to + 1;
    }
  }

  /** Ends the unfinished lines. Returns what was dropped, if anything was. Call it once. */
  finish(): DroppedLog | undefined {
    if (this.#partial !== undefined) {
      this.#emit(1, this.#partial[0]);
      this.#emit(2, this.#partial[1]);
    }
    const missedLines = this.#rate.takeMissed();
    if (this.#droppedLines === 0 && this.#missedBytes === 0 && missedLines === 0) return undefined;
    return {
      lines: Math.min(this.#droppedLines, MAX_COUNT),
      bytes: Math.min(this.#droppedBytes, MAX_COUNT),
      missedBytes: Math.min(this.#missedBytes, MAX_COUNT),
      missedLines: Math.min(missedLines, MAX_COUNT),
    };
  }

  /** Ends a line. Of a line that exceeded the budget, the part within it was kept, and the rest is dropped here. */
  #emit(stream: OutputStreamNumber, line: LineBuffer): void {
    const { bytes, cutBytes } = line.take();
    if (bytes.length + cutBytes === 0) return;
    if (bytes.length === 0 || this.#leftLines === 0) {
      this.#drop(bytes.length + cutBytes);
      return;
    }
    if (!this.#passes(bytes.length)) {
      this.#missedBytes += cutBytes;
      // The other stream may have spent the budget meanwhile.
      if (this.#droppedLines === 0) this.#leftBytes += bytes.length;
      return;
    }
    if (cutBytes > 0) this.#drop(cutBytes);
    this.#leftBytes = Math.max(0, this.#leftBytes - Math.max(0, MIN_RECORD_BYTES - bytes.length));
    this.#leftLines -= 1;
    const text = escapeControls(bytes.toString("utf8"));
    const textBytes = Buffer.byteLength(text);
    // The host counts the escaped text that it gets.
    if (this.#sink !== undefined) this.#rate.lengthen(textBytes - bytes.length);
    this.#deliver(textBytes, (sink) => sink.output(stream, text));
  }

  /** Does the rate allow it? A record without a call passes: `attach` asks again when there is one. */
  #passes(bytes: number): boolean {
    if (this.#sink === undefined || this.#rate.take(bytes)) return true;
    this.#missedBytes += bytes;
    return false;
  }

  #drop(bytes: number): void {
    this.#leftBytes = 0;
    this.#droppedLines += 1;
    this.#droppedBytes += bytes;
  }

  #deliver(bytes: number, deliver: (sink: LogSink) => void): void {
    if (this.#sink === undefined) this.#early.push({ bytes, deliver });
    else deliver(this.#sink);
  }
}

/** The bytes of a line so far; grows by doubling, so that writing byte by byte stays cheap. */
class LineBuffer {
  #bytes = Buffer.alloc(0);
  #length = 0;
  #cutBytes = 0;

  /** Keeps at most `most` of the bytes, and returns how many it kept. */
  append(bytes: Uint8Array, most: number): number {
    const kept = Math.min(bytes.length, most);
    const needed = this.#length + kept;
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(256, needed, this.#bytes.length * 2));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    this.#bytes.set(bytes.subarray(0, kept), this.#length);
    this.#length = needed;
    this.#cutBytes += bytes.length - kept;
    return kept;
  }

  /** Returns the line, valid until the next {@link append}, and how many bytes were not kept; begins a new line. */
  take(): { readonly bytes: Buffer; readonly cutBytes: number } {
    const line = { bytes: this.#bytes.subarray(0, this.#length), cutBytes: this.#cutBytes };
    this.#length = 0;
    this.#cutBytes = 0;
    return line;
  }
}

/** Control characters except the tab, line and paragraph separators, and characters that change the direction of text. */
const CONTROLS = /[^\P{Cc}\t]|[\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Makes text harmless for a terminal, and for a reader that takes each line for a record. */
export function escapeControls(text: string): string {
  return text.replace(CONTROLS, (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`);
}
