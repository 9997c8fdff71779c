import { type ErrorCode, type ErrorRow, errorRow } from "./table.ts";

/** Options of a {@link HostError}. */
export interface HostErrorOptions {
  /** What led to it; stays in the log, never in a reply. */
  readonly cause?: unknown;
  /** Hint for the caller, in milliseconds, when a retry makes sense. */
  readonly retryAfterMs?: number;
}

/**
 * The error class for everything that a caller, an operator or an author may see. (Inside a module, a trap, a frame error or a
 * `TypeError` may be thrown and is turned into one.) `message` is for readers of the log or the terminal;
 * `safeMessage` is what a stranger may read in a reply. Secrets belong in neither: put the original error
 * in `cause`.
 */
export class HostError extends Error {
  override readonly name = "HostError";
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message?: string, options: HostErrorOptions = {}) {
    super(message ?? errorRow(code).summary, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }

  get row(): ErrorRow {
    return errorRow(this.code);
  }

  /** The table's summary: says nothing of this host, its files or its dependencies. */
  get safeMessage(): string {
    return this.row.summary;
  }
}

/**
 * Turns whatever was thrown into a {@link HostError}. A value that is not one already is a bug of ours, so it
 * becomes `internal` unless the place that calls this knows better.
 */
export function toHostError(thrown: unknown, code: ErrorCode = "internal"): HostError {
  if (thrown instanceof HostError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new HostError(code, message, { cause: thrown });
}
