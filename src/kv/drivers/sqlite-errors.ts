/**
 * The one place where SQLite's errors get their codes. What SQLite refuses leaves the file as it was, so a
 * refused write is `store-unavailable` (nothing was written); only an input or output error in the middle of
 * a write leaves its outcome open.
 *
 * @module
 */

import { HostError } from "../../errors/host-error.ts";
import type { OperationKind } from "../operation.ts";

/** Primary result codes, https://www.sqlite.org/rescode.html. */
const SQLITE_PERM = 3;
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_READONLY = 8;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_TOOBIG = 18;
const SQLITE_AUTH = 23;
const SQLITE_NOTADB = 26;

/** With these SQLite did not begin, or undid, the statement. */
const NOTHING_WRITTEN: ReadonlySet<number> = new Set([
  SQLITE_PERM,
  SQLITE_BUSY,
  SQLITE_LOCKED,
  SQLITE_READONLY,
  SQLITE_CORRUPT,
  SQLITE_FULL,
  SQLITE_CANTOPEN,
  SQLITE_TOOBIG,
  SQLITE_AUTH,
  SQLITE_NOTADB,
]);

/** The primary result code of an error that SQLite reported. An extended code holds it in its low byte. */
function sqliteResultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return undefined;
  return error.errcode & 0xff;
}

/** Did the statement fail because another connection holds a lock it needs? */
export function isLocked(error: unknown): boolean {
  const code = sqliteResultCode(error);
  return code === SQLITE_BUSY || code === SQLITE_LOCKED;
}

/** Turns what a statement threw into one of the port's errors. */
export function classifySqliteError(error: unknown, operation: OperationKind): HostError {
  if (error instanceof HostError) return error;
  const code = sqliteResultCode(error);
  const detail = error instanceof Error ? error.message : String(error);
  const message = `SQLite ${operation} failed (result code ${code ?? "unknown"}): ${detail}`;
  if (operation === "read" && isLocked(error)) return new HostError("store-timeout", message, { cause: error });
  if (operation === "read" || (code !== undefined && NOTHING_WRITTEN.has(code)))
    return new HostError("store-unavailable", message, { cause: error });
  return new HostError("store-outcome-unknown", message, { cause: error });
}
