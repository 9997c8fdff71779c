/**
 * The log of a test: keeps what the plugin writes during a request, and why the request failed. The rest of a replica's log
 * has no reader here.
 *
 * @module
 */

import { FIXED_LIMITS } from "../contract/limits.ts";
import type { LogLevel } from "../contract/request.ts";
import { createLogger, type Logger } from "../telemetry/logger.ts";

/** A line that was written during a request. */
export interface LoggedLine {
  /** The contract's `logging`, an output stream, or the host about the request. */
  readonly source: "log" | "stdout" | "stderr" | "host";
  readonly level: LogLevel;
  readonly text: string;
}

/** What the log has about one request. */
export interface CapturedLog {
  readonly lines: readonly LoggedLine[];
  /** Lines beyond those that are kept. */
  readonly missed: number;
  /** Why the request failed, as a replica's log would say it: a trap's message and its backtrace. */
  readonly detail: string | undefined;
}

/** Levels of records → the contract's. */
const LEVELS: ReadonlyMap<unknown, LogLevel> = new Map([
  ["info", "info"],
  ["warn", "warning"],
  ["error", "error"],
]);
const SOURCES: ReadonlySet<unknown> = new Set<LoggedLine["source"]>(["log", "stdout", "stderr", "host"]);

/** Collects a log's records, one request at a time. */
export class LogCapture {
  readonly logger: Logger;
  #lines: LoggedLine[] = [];
  #missed = 0;
  #detail: string | undefined;

  constructor() {
    this.logger = createLogger({
      level: "info",
      pretty: false,
      base: { replica: "test", group: "test" },
      destination: { write: (line) => this.#take(line) },
    });
  }

  /** What came since the last call. */
  take(): CapturedLog {
    const taken = { lines: this.#lines, missed: this.#missed, detail: this.#detail };
    this.#lines = [];
    this.#missed = 0;
    this.#detail = undefined;
    return taken;
  }

  #take(line: string): void {
    const { level, source, msg, detail, droppedLogBytes } = JSON.parse(line) as Record<string, unknown>;
    if (typeof detail === "string") this.#detail = detail;
    if (typeof droppedLogBytes === "number") this.#missed += 1;
    const known = LEVELS.get(level);
    if (!SOURCES.has(source) || known === undefined || typeof msg !== "string") return;
    if (this.#lines.length >= FIXED_LIMITS.testLogLines) this.#missed += 1;
    else this.#lines.push({ source: source as LoggedLine["source"], level: known, text: msg });
  }
}
