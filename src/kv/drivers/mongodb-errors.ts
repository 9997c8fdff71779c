/**
 * The one place where the MongoDB driver's errors get their codes. What may have happened on
 * the server decides: nothing (`store-unavailable`), or a write that nobody acknowledged
 * (`store-outcome-unknown`).
 *
 * Messages are made here and hold the error's class and code, and the driver's text without credentials.
 * The original error is not kept as a cause: a server's message may quote a plugin's data, and a driver's a
 * connection string.
 *
 * @module
 */

import {
  MongoError,
  MongoErrorLabel,
  MongoNetworkError,
  MongoNetworkTimeoutError,
  MongoServerError,
  MongoWriteConcernError,
} from "mongodb";
import { HostError } from "../../errors/host-error.ts";
import type { OperationKind } from "../operation.ts";

/** An entry's kind and outcome, as far as this side knows it. */
export interface EntryFate {
  readonly operation: OperationKind;
  /** See `Entry.sends`. */
  readonly sends: number;
}

/** Server error codes, https://www.mongodb.com/docs/manual/reference/error-codes/. */
const MAX_TIME_EXPIRED = 50;
export const DUPLICATE_KEY = 11_000;

/** With these the server may have begun the write: interrupted, stepping down, shutting down, out of time. */
const MAYBE_WRITTEN: ReadonlySet<number> = new Set([
  6, // HostUnreachable
  7, // HostNotFound
  24, // LockTimeout
  MAX_TIME_EXPIRED,
  64, // WriteConcernFailed
  89, // NetworkTimeout
  91, // ShutdownInProgress
  112, // WriteConflict
  189, // PrimarySteppedDown
  202, // NetworkInterfaceExceededTimeLimit
  262, // ExceededTimeLimit
  9001, // SocketException
  11_600, // InterruptedAtShutdown
  11_601, // Interrupted
  11_602, // InterruptedDueToReplStateChange
]);

/** After these another attempt to read may find another primary. */
const RETRYABLE_READ: ReadonlySet<number> = new Set([
  6, // HostUnreachable
  7, // HostNotFound
  89, // NetworkTimeout
  91, // ShutdownInProgress
  134, // ReadConcernMajorityNotAvailableYet
  189, // PrimarySteppedDown
  262, // ExceededTimeLimit
  9001, // SocketException
  10_107, // NotWritablePrimary
  11_600, // InterruptedAtShutdown
  11_602, // InterruptedDueToReplStateChange
  13_435, // NotPrimaryNoSecondaryOk
  13_436, // NotPrimaryOrSecondary
]);

const DETAIL_MAX_LENGTH = 300;

/** The same trouble on another connection is not another problem. */
const CONNECTION_NUMBER = /\bconnection (?:[0-9]+|<monitor>)(?= to )/g;

/** What servers say of a single statement is a number alone; these an operator meets. */
const STATEMENT_ERRORS: ReadonlyMap<unknown, string> = new Map([
  [13, "Unauthorized"],
  [20, "IllegalOperation"],
  [73, "InvalidNamespace"],
  [121, "DocumentValidationFailure"],
  [10_334, "BSONObjectTooLarge"],
  [13_297, "DatabaseDifferCase"],
  [14_031, "OutOfDiskSpace"],
  [17_420, "the document is too large for the operation log"],
]);

/** Did two upserts insert the same new key at the same moment? The one that lost wrote nothing. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}

export function isRetryableRead(error: unknown): boolean {
  if (error instanceof MongoNetworkError) return true;
  return error instanceof MongoServerError && typeof error.code === "number" && RETRYABLE_READ.has(error.code);
}

/** Of a write that carries a number. */
export function isRetryableWrite(error: unknown): boolean {
  if (error instanceof MongoNetworkError) return true;
  return error instanceof MongoError && error.hasErrorLabel(MongoErrorLabel.RetryableWriteError);
}

/** Turns what the driver threw into one of the port's errors. `redact` removes the URL's credentials. */
export function classifyMongoError(error: unknown, fate: EntryFate, redact: (text: string) => string): HostError {
  if (error instanceof HostError) return error;
  return new HostError(codeOf(error, fate), `MongoDB ${fate.operation} failed: ${describeMongoError(error, redact)}`);
}

/** The error of one statement of a command that the server carried out. */
export function classifyStatement(code: unknown, { sends }: EntryFate): HostError {
  // A first attempt that was lost may have been performed whatever the second was answered.
  const refused = sends <= 1 && typeof code === "number" && !MAYBE_WRITTEN.has(code);
  return new HostError(
    refused ? "store-unavailable" : "store-outcome-unknown",
    `MongoDB write failed: statement error ${String(code)} ${STATEMENT_ERRORS.get(code) ?? ""}`.trimEnd(),
  );
}

function codeOf(error: unknown, fate: EntryFate): "store-unavailable" | "store-timeout" | "store-outcome-unknown" {
  if (fate.sends === 0) return "store-unavailable";
  if (fate.operation === "read") return isReadTimeout(error) ? "store-timeout" : "store-unavailable";
  return isRefusal(error, fate.sends) ? "store-unavailable" : "store-outcome-unknown";
}

function isReadTimeout(error: unknown): boolean {
  if (error instanceof MongoNetworkTimeoutError) return true;
  return error instanceof MongoServerError && error.code === MAX_TIME_EXPIRED;
}

/** Is it certain that the server did not perform the write? */
function isRefusal(error: unknown, sends: number): boolean {
  if (!(error instanceof MongoServerError) || error instanceof MongoWriteConcernError) return false;
  if (error.hasErrorLabel(MongoErrorLabel.NoWritesPerformed)) return true;
  // A first attempt that was lost may have been performed whatever the second was answered.
  if (sends > 1 || error.hasErrorLabel(MongoErrorLabel.RetryableWriteError)) return false;
  return typeof error.code === "number" && !MAYBE_WRITTEN.has(error.code);
}

/** An error in words for the log: its class and its code, and what the driver says of itself without credentials. */
export function describeMongoError(error: unknown, redact: (text: string) => string): string {
  if (error instanceof MongoServerError) {
    const name = typeof error.codeName === "string" ? ` ${error.codeName}` : "";
    return `${error.name} ${error.code ?? ""}${name}`;
  }
  if (error instanceof MongoError)
    return `${error.name}: ${redact(error.message).replace(CONNECTION_NUMBER, "connection").slice(0, DETAIL_MAX_LENGTH)}`;
  if (!(error instanceof Error)) return typeof error;
  return "code" in error ? `${error.name} ${String(error.code)}` : error.name;
}
