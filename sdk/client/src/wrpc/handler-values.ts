/**
 * The parameters and results of `local:network-host/handler@1.0.0` as wRPC passes them: values one after another, without
 * types and without a length around them.
 *
 * @module
 */

import { type Failure, failureOf } from "../call-error.ts";
import { ERROR_CODES, isErrorCode } from "../error-codes.ts";
import { printable } from "../printable.ts";
import { type ReadFlaw, ValueReader } from "./value-reader.ts";
import { ValueWriter } from "./value-writer.ts";

/** The name of the interface; part of every invocation. */
export const HANDLER = "local:network-host/handler@1.0.0";

export type AccessLevel = "key-value-read" | "key-value-write" | "outbound-http";

/** In the order of the contract: the index is the flag's bit. */
const ACCESS_LEVELS: readonly AccessLevel[] = ["key-value-read", "key-value-write", "outbound-http"];

/** The contract's `rpc-request`. */
export interface RpcRequest {
  readonly id: string;
  readonly method: string;
  readonly payload: Uint8Array;
}

export type HandleRequestResult =
  | { readonly kind: "answered"; readonly status: number; readonly body: Uint8Array }
  | { readonly kind: "failed"; readonly failure: Failure };

export type AccessLevelsResult =
  | { readonly kind: "levels"; readonly levels: readonly AccessLevel[] }
  | { readonly kind: "failed"; readonly failure: Failure };

const OK = 0;
const ERR = 1;

/** The parameters of `handle-request`. */
export function encodeRequest({ id, method, payload }: RpcRequest): readonly Uint8Array[] {
  const to = new ValueWriter();
  to.text(id);
  to.text(method);
  to.bytes(payload);
  return to.finish();
}

/** The result of `handle-request`, of all bytes that the server sent of it. */
export function decodeResponse(bytes: Uint8Array): HandleRequestResult {
  const from = new ValueReader(bytes, bytes.length);
  const tag = from.u8();
  if (tag === OK) {
    const [status, body] = [from.unsigned(16), from.bytes()];
    return flawOf(from, bytes) ?? { kind: "answered", status, body };
  }
  if (tag !== ERR) from.fail("a result is neither ok nor err");
  const text = from.text();
  return flawOf(from, bytes) ?? { kind: "failed", failure: parseError(text) };
}

/** The result of `get-access-levels`. */
export function decodeLevels(bytes: Uint8Array): AccessLevelsResult {
  const from = new ValueReader(bytes, bytes.length);
  const bits = from.u8();
  if (bits >= 1 << ACCESS_LEVELS.length) from.fail("there is an access level that this version does not know");
  const levels = ACCESS_LEVELS.filter((_, index) => (bits & (1 << index)) !== 0);
  return flawOf(from, bytes) ?? { kind: "levels", levels };
}

/**
 * wRPC has no place for what went wrong but the plugin's own error: a replica's refusals are the code, a colon and a
 * sentence.
 */
function parseError(text: string): Failure {
  return (
    parseRefusal(text) ??
    failureOf("plugin-error", printable(text) || ERROR_CODES["plugin-error"].summary, {
      body: new TextEncoder().encode(text),
    })
  );
}

/** A refusal in the form `<code>: <sentence>`, if the text is one. */
export function parseRefusal(text: string): Failure | undefined {
  const [, code = "", sentence = ""] = /^([a-z-]{1,64}): (.*)$/s.exec(text) ?? [];
  return isErrorCode(code) ? failureOf(code, printable(sentence)) : undefined;
}

function flawOf(from: ValueReader, bytes: Uint8Array): { kind: "failed"; failure: Failure } | undefined {
  const { flaw } = from;
  if (flaw === undefined && from.offset === bytes.length) return undefined;
  return { kind: "failed", failure: failureOf("bad-reply", problemOf(flaw)) };
}

function problemOf(flaw: ReadFlaw | undefined): string {
  if (flaw === undefined) return "the result does not fit the contract: bytes follow it";
  if (flaw.kind === "malformed") return `the result does not fit the contract: ${flaw.problem}`;
  return "the server ended the result before it was complete: the function failed there, or the server stopped";
}
