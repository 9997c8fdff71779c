/**
 * The host's side of `logging` and of a plugin's output: what one request may write, counted here whatever
 * the runner has counted, and made printable before any sink sees it.
 *
 * @module
 */

import { FIXED_LIMITS } from "../contract/limits.ts";
import type { LogLevel } from "../contract/request.ts";
import { printableLine } from "../telemetry/plugin-text.ts";

/** One line that a plugin wrote, printable: no line breaks, no control sequences. */
export interface PluginLine {
  /** Through the contract's `logging`, or to its output. */
  readonly source: "log" | "stdout" | "stderr";
  readonly level: LogLevel;
  readonly text: string;
}

/** Takes the lines of one request, in order. */
export type PluginLineSink = (line: PluginLine) => void;

/** The log of one request. */
export class PluginLog {
  readonly #maxBytes: number;
  readonly #sink: PluginLineSink;
  #bytes = 0;
  #lines = 0;
  #droppedBytes = 0;
  #state: "open" | "full" = "open";

  /** @param maxBytes see `PLUGIN_LIMITS.logBytes`; the plugin's own UTF-8 bytes count, not their escaped form. */
  constructor(maxBytes: number, sink: PluginLineSink) {
    this.#maxBytes = maxBytes;
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

  /** A line of stdout (1) or stderr (2). */
  output(stream: 1 | 2, text: string): void {
    if (stream === 1) this.#write("stdout", "info", text);
    else this.#write("stderr", "warning", text);
  }

  /** The runner says that it dropped so many bytes itself. */
  dropped(bytes: number): void {
    this.#drop(bytes);
  }

  #write(source: PluginLine["source"], level: LogLevel, text: string): void {
    const bytes = Buffer.byteLength(text, "utf8");
    if (this.#state === "full" || this.#lines >= FIXED_LIMITS.logLines) {
      this.#drop(bytes);
      return;
    }
    const leftBytes = this.#maxBytes - this.#bytes;
    const kept = bytes <= leftBytes ? text : cutUtf8(text, leftBytes);
    this.#lines += 1;
    this.#bytes += Math.min(bytes, leftBytes);
    if (kept !== "" || bytes === 0) this.#sink({ source, level, text: printableLine(kept, kept.length) });
    if (bytes > leftBytes) this.#drop(bytes - Buffer.byteLength(kept, "utf8"));
  }

  /** Says so once, where the next line would have stood. */
  #drop(bytes: number): void {
    this.#droppedBytes += bytes;
    if (this.#state === "full") return;
    this.#state = "full";
    this.#sink({
      source: "log",
      level: "warning",
      text: `[network-host] the request's log limit is reached (${this.#maxBytes} bytes, ${FIXED_LIMITS.logLines} lines); the rest is dropped`,
    });
  }
}

/** The longest beginning of a text that takes no more bytes, without half a character at its end. */
function cutUtf8(text: string, maxBytes: number): string {
  const bytes = new Uint8Array(maxBytes);
  const { read } = new TextEncoder().encodeInto(text, bytes);
  return text.slice(0, read);
}
