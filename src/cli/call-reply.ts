/**
 * Reads a reply as docs/protocol.md describes it, from a replica of this version or of another: it reports
 * what is missing or unknown, and guesses nothing.
 *
 * @module
 */

import { Match, type Msg, type MsgHdrs } from "nats";
import { MAX_STATUS } from "../contract/request.ts";
import { HEADER } from "../contract/protocol.ts";
import { HostError } from "../errors/host-error.ts";
import { type ErrorCode, errorRow, isErrorCode } from "../errors/table.ts";
import { type ExitCode, EXIT, exitCodeOf } from "./exit-codes.ts";

/** An error as `call` shows it; from a reply, or from this side of the connection. */
export interface CallError {
  /** A code of the error table, or one that a newer replica knows. */
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  /** `Nats-Service-Error-Code`. */
  readonly replyCode: number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly exitCode: ExitCode;
}

/** What came back. */
export type CallReply =
  | { readonly kind: "ok"; readonly status: number; readonly id: string | undefined; readonly body: Uint8Array }
  | { readonly kind: "error"; readonly error: CallError; readonly id: string | undefined; readonly body: Uint8Array };

/** Reads a reply. One that is neither an answer nor an error of the protocol becomes the error `bad-reply`. */
export function parseReply({ data, headers }: Pick<Msg, "data" | "headers">): CallReply {
  const id = header(headers, HEADER.id);
  const code = header(headers, HEADER.error);
  const replyCode = header(headers, HEADER.serviceErrorCode);
  if (code !== undefined || replyCode !== undefined) {
    return { kind: "error", error: parseError(headers, code ?? "service-error"), id, body: data };
  }
  const status = decimal(header(headers, HEADER.status));
  if (status !== undefined && status <= MAX_STATUS) return { kind: "ok", status, id, body: data };
  const badReply = new HostError("bad-reply", `the reply has no valid ${HEADER.status} header`);
  return { kind: "error", error: localError(badReply), id, body: data };
}

/** An error of this side as `call` shows it. */
export function localError(error: HostError): CallError {
  return {
    code: error.code,
    message: error.message,
    retryable: error.row.retryable,
    replyCode: undefined,
    retryAfterMs: error.retryAfterMs,
    exitCode: exitCodeOf(error.code),
  };
}

function parseError(headers: MsgHdrs | undefined, code: string): CallError {
  const known = isErrorCode(code) ? code : undefined;
  const retryable = header(headers, HEADER.retryable)?.toLowerCase() === "true";
  return {
    code,
    message: header(headers, HEADER.serviceError) ?? (known === undefined ? "no text given" : errorRow(known).summary),
    retryable,
    replyCode: decimal(header(headers, HEADER.serviceErrorCode)),
    retryAfterMs: decimal(header(headers, HEADER.retryAfterMs)),
    exitCode: exitCodeOfReply(known, retryable),
  };
}

/** The reply knows better than the table whether to try again: the store may have failed. */
function exitCodeOfReply(code: ErrorCode | undefined, retryable: boolean): ExitCode {
  if (code === undefined) return retryable ? EXIT.unavailable : EXIT.failed;
  return retryable && errorRow(code).retryableAfterOutage === true ? EXIT.unavailable : exitCodeOf(code);
}

function header(headers: MsgHdrs | undefined, name: string): string | undefined {
  if (headers === undefined || !headers.has(name, Match.IgnoreCase)) return undefined;
  return headers.get(name, Match.IgnoreCase);
}

function decimal(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}
