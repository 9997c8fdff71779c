/**
 * The one place where the MongoDB driver's errors get their codes. The question that decides is what may
 * have happened on the server: nothing (`store-unavailable`), or a write that nobody acknowledged
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
  MongoNetworkTimeoutError,
  MongoServerError,
  MongoWriteConcernError,
} from "mongodb";
import { HostError } from "../../errors/host-error.ts";

/** A command's kind and fate, as far as this side knows it. */
export interface CommandFate {
  readonly operation: "read" | "write";
  /** See `Dispatch.sends`. */
  readonly sends: number;
}

/** Server error codes, https://www.mongodb.com/docs/manual/reference/error-codes/. */
const MAX_TIME_EXPIRED = 50;
const DUPLICATE_KEY = 11_000;

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

const DETAIL_MAX_LENGTH = 300;

/** Did two upserts insert the same new key at the same moment? The one that lost wrote nothing. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}

/** Turns what the driver threw into one of the port's errors. `redact` removes the URL's credentials. */
export function classifyMongoError(error: unknown, fate: CommandFate, redact: (text: string) => string): HostError {
  if (error instanceof HostError) return error;
  return new HostError(codeOf(error, fate), `MongoDB ${fate.operation} failed: ${describe(error, redact)}`);
}

/** The error of an operation whose time was over before the driver settled it. */
export function timedOut(timeoutMs: number, fate: CommandFate): HostError {
  if (fate.sends === 0) {
    return new HostError("store-unavailable", `no MongoDB primary or free connection was found in ${timeoutMs} ms`);
  }
  const code = fate.operation === "read" ? "store-timeout" : "store-outcome-unknown";
  return new HostError(code, `MongoDB did not answer a ${fate.operation} in ${timeoutMs} ms`);
}

function codeOf(error: unknown, fate: CommandFate): "store-unavailable" | "store-timeout" | "store-outcome-unknown" {
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

function describe(error: unknown, redact: (text: string) => string): string {
  if (error instanceof MongoServerError) {
    const name = typeof error.codeName === "string" ? ` ${error.codeName}` : "";
    return `${error.name} ${error.code ?? ""}${name}`;
  }
  if (error instanceof MongoError) return `${error.name}: ${redact(error.message).slice(0, DETAIL_MAX_LENGTH)}`;
  return error instanceof Error ? error.name : typeof error;
}
