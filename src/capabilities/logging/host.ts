/**
 * The host's side of `logging` and of a plugin's output. It counts what one request writes, whatever the runner has counted,
 * and makes each line printable before a sink gets it.
 *
 * @module
 */

import { FIXED_LIMITS } from "../../contract/limits.ts";
import type { DroppedLog, LogRate } from "../../contract/log-rate.ts";
import type { LogLevel } from "../../contract/request.ts";
import { printableLine } from "../../telemetry/plugin-text.ts";

/** One line that a plugin wrote, printable: no line breaks, no control sequences. */
export interface PluginLine {
  /** The contract's `logging`, or an output stream; `host` for what the host itself adds about the request. */
  readonly source: "log" | "stdout" | "stderr" | "host";
  readonly level: LogLevel;
  readonly text: string;
}

/** Takes the lines of one request, in order. */
export type PluginLineSink = (line: PluginLine) => void;

/** How often, at most, a plugin's log reports dropped lines: such a line costs as much as one of the plugin. */
const TELL_MISSED_MS = 1_000;

/** The log of one request. */
export class PluginLog {
  readonly #maxBytes: () => number;
  readonly #rate: LogRate;
  readonly #sink: PluginLineSink;
  #bytes = 0;
  #lines = 0;
  #droppedBytes = 0;
  #state: "open" | "full" = "open";

  /**
   * @param maxBytes the limit in force: see `PLUGIN_LIMITS.logBytes`. It counts the plugin's UTF-8 bytes before escaping.
   * @param rate the rate that all requests of the plugin share.
   */
  constructor(maxBytes: () => number, rate: LogRate, sink: PluginLineSink) {
    this.#maxBytes = maxBytes;
    this.#rate = rate;
    this.#sink = sink;
  }

  /** Bytes that did not reach the sink, here and in the runner. */
  get droppedBytes(): number {
    return this.#droppedBytes;
  }

  /** A call of the contract's `log`. */
  log(level: LogLevel, message: string): void {
    this.#write("log", level, message);
  }

  /** A line of standard output (1) or standard error (2). */
  output(stream: 1 | 2, text: string): void {
    if (stream === 1) this.#write("stdout", "info", text);
    else this.#write("stderr", "warning", text);
  }

  /** A line of the host for the readers of the plugin's log. It counts like a line of the plugin. */
  note(text: string): void {
    this.#write("host", "warning", `[network-host] ${text}`);
  }

  /** The runner reports what it has dropped itself. This untrusted report affects only what is reported further. */
  dropped({ lines, bytes, missedLines, missedBytes }: DroppedLog): void {
    this.#droppedBytes += missedBytes;
    this.#rate.addMissed(missedLines);
    if (lines > 0) this.#drop(bytes);
  }

  #write(source: PluginLine["source"], level: LogLevel, text: string): void {
    const bytes = Buffer.byteLength(text, "utf8");
    if (this.#state === "full" || this.#lines >= FIXED_LIMITS.logLines) {
      this.#drop(bytes);
      return;
    }
    if (!this.#rate.take(bytes)) {
      this.#droppedBytes += bytes;
      return;
    }
    this.#tellMissed();
    const leftBytes = Math.max(0, this.#maxBytes() - this.#bytes);
    const kept = bytes <= leftBytes ? text : cutUtf8(text, leftBytes);
    this.#lines += 1;
    this.#bytes += Math.min(bytes, leftBytes);
    if (kept !== "" || bytes === 0) this.#sink({ source, level, text: printableLine(kept, kept.length) });
    if (bytes > leftBytes) this.#drop(bytes - Buffer.byteLength(kept, "utf8"));
  }

  /** Reports how many lines of all requests the rate has dropped, once lines are written again. */
  #tellMissed(): void {
    const lines = this.#rate.takeMissed(TELL_MISSED_MS);
    if (lines === 0) return;
    const { logLinesPerSecond, logBytesPerSecond } = FIXED_LIMITS;
    const limit = `${logLinesPerSecond} lines or ${logBytesPerSecond} bytes a second`;
    this.#notify(`${lines} lines of the plugin were dropped: it logs more than ${limit}`);
  }

  #notify(text: string): void {
    this.#sink({ source: "host", level: "warning", text: `[network-host] ${text}` });
  }

  /** Counts dropped bytes. The first time, writes a line about it in place of the dropped one. */
  #drop(bytes: number): void {
    this.#droppedBytes += bytes;
    if (this.#state === "full") return;
    this.#state = "full";
    this.#notify(
      `the request's log limit is reached (${this.#maxBytes()} bytes, ${FIXED_LIMITS.logLines} lines); the rest is dropped`,
    );
  }
}

/** The longest beginning of a text that fits in `maxBytes` bytes of UTF-8, cut between characters. */
function cutUtf8(text: string, maxBytes: number): string {
  const bytes = new Uint8Array(maxBytes);
  const { read } = new TextEncoder().encodeInto(text, bytes);
  return text.slice(0, read);
}
