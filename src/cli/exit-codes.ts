/**
 * The command line's exit codes (docs/command-line.md): few, chosen by what the user should do next.
 *
 * @module
 */

import { type ErrorCode, errorRow } from "../errors/table.ts";

export const EXIT = {
  /** Done; for `call`, the plugin answered; for `check` and `inspect`, nothing is wrong. */
  ok: 0,
  /** Refused or failed for a reason that stays until someone changes something: plugin, policy or request. */
  failed: 1,
  /** A flag, a variable, a file's path or a configuration file is wrong. */
  usage: 2,
  /** Something is unreachable, busy or too slow: the same command may succeed later. */
  unavailable: 3,
  /** A bug in this program. */
  bug: 70,
  /** The reader of standard output went away (128 + SIGPIPE). */
  brokenPipe: 141,
} as const;

export type ExitCode = number;

const USAGE_CODES: ReadonlySet<ErrorCode> = new Set(["usage-invalid", "config-invalid", "component-unreadable"]);

/** The exit code for an error of the table. */
export function exitCodeOf(code: ErrorCode): ExitCode {
  const { fault, retryable } = errorRow(code);
  if (fault === "bug") return EXIT.bug;
  if (USAGE_CODES.has(code)) return EXIT.usage;
  return retryable ? EXIT.unavailable : EXIT.failed;
}
