/**
 * How a call fails: with one of the codes of network-host's table of errors, whether a replica says so or nobody answers.
 *
 * @module
 */

import { ERROR_CODES, type ErrorCode, isErrorCode } from "./error-codes.ts";

/** A known code, or one of a later version of network-host. */
export type CallErrorCode = ErrorCode | (string & {});

/** What is known of a failure. */
export interface Failure {
  readonly code: CallErrorCode;
  /** One line for people. */
  readonly text: string;
  readonly isRetryable: boolean;
  readonly mayHaveRun: boolean;
  readonly retryAfterMs?: number | undefined;
  /** The text that the plugin returned, for `plugin-error`. */
  readonly body?: Uint8Array;
  readonly cause?: unknown;
}

/** Whose failure it is. */
export interface FailedCall {
  readonly plugin: string;
  readonly method: string;
  readonly id: string;
  readonly tries: number;
}

/** A call that failed. Decide by {@link CallError.code | code}; the message is for people. */
export class CallError extends Error {
  override readonly name = "CallError";
  readonly code: CallErrorCode;
  /** May the same request succeed if it is sent again? */
  readonly isRetryable: boolean;
  /** May the plugin have done a part of its work, or all of it? Then a request that is sent again may do it twice. */
  readonly mayHaveRun: boolean;
  /** Wait at least this long before sending again, where the replica has said so. */
  readonly retryAfterMs: number | undefined;
  readonly plugin: string;
  readonly method: string;
  /** The id of the request, for the replica's log. */
  readonly id: string;
  /** How often the request was sent. */
  readonly tries: number;
  readonly #body: Uint8Array | undefined;

  constructor(failure: Failure, { plugin, method, id, tries }: FailedCall) {
    const { code, text, cause } = failure;
    const name = method === "" ? plugin : `${plugin} ${method}`;
    super(`${code}: ${text} (${name}, id ${id})`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.isRetryable = failure.isRetryable;
    this.mayHaveRun = failure.mayHaveRun;
    this.retryAfterMs = failure.retryAfterMs;
    this.plugin = plugin;
    this.method = method;
    this.id = id;
    this.tries = tries;
    this.#body = failure.body;
  }

  /** The text that the plugin returned as its error, whole; empty unless the code is `plugin-error`. */
  text(): string {
    return this.#body === undefined ? "" : new TextDecoder().decode(this.#body);
  }
}

/** Is it the failure of a call, with this code where one is given? */
export function isCallError(error: unknown, code?: ErrorCode): error is CallError {
  return error instanceof CallError && (code === undefined || error.code === code);
}

/** A failure with what the table says of its code. */
export function failureOf(code: ErrorCode, text: string, more: Partial<Failure> = {}): Failure {
  const { isRetryable, mayHaveRun } = ERROR_CODES[code];
  return { code, text, isRetryable, mayHaveRun, ...more };
}

/** Of a code that is not known, the worst is assumed: the plugin may have run. */
export function mayHaveRun(code: string): boolean {
  return !isErrorCode(code) || ERROR_CODES[code].mayHaveRun;
}
