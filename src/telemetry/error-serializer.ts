/**
 * How an error looks in a log record: its code, its fault (who must act), its message and the chain of its causes.
 * Causes come from drivers and may quote connection strings, so every text is scrubbed. They may quote a plugin (the
 * name of a function that V8 refuses), so every text is made printable. Only bugs keep their stack: for everything else
 * the message says what to do.
 *
 * @module
 */

import { HostError } from "../errors/host-error.ts";
import type { ErrorCode, Fault } from "../errors/table.ts";
import { printableText } from "./plugin-text.ts";
import { scrubSecrets } from "./redaction.ts";

/** An error as it is logged. */
export interface SerializedError {
  readonly code?: ErrorCode;
  readonly fault?: Fault;
  readonly message: string;
  /** Its causes, nearest first, each as `Name: message` with the system's or driver's code if it has one. */
  readonly causes?: readonly string[];
  readonly stack?: string;
}

const MAX_CAUSES = 8;
const MAX_MESSAGE_CHARS = 4_096;
const MAX_STACK_CHARS = 8_192;

/** Serializes any thrown value. Never throws. */
export function serializeError(thrown: unknown): SerializedError {
  const host = thrown instanceof HostError ? thrown : undefined;
  const chain = causesOf(thrown);
  const causes = chain.map((cause) => bounded(describe(cause), MAX_MESSAGE_CHARS));
  const isBug = host === undefined || host.row.fault === "bug";
  const origin = chain.findLast((cause) => cause instanceof Error) ?? thrown;
  const stack = isBug && origin instanceof Error ? origin.stack : undefined;
  return {
    ...(host !== undefined && { code: host.code, fault: host.row.fault }),
    message: bounded(thrown instanceof Error ? thrown.message : describe(thrown), MAX_MESSAGE_CHARS),
    ...(causes.length > 0 && { causes }),
    ...(stack !== undefined && { stack: bounded(stack, MAX_STACK_CHARS) }),
  };
}

/** The chain of causes without the error itself; stops at a cycle. */
function causesOf(thrown: unknown): unknown[] {
  const chain: unknown[] = [];
  let current = thrown instanceof Error ? thrown.cause : undefined;
  while (current !== undefined && current !== thrown && chain.length < MAX_CAUSES && !chain.includes(current)) {
    chain.push(current);
    current = current instanceof Error ? current.cause : undefined;
  }
  return chain;
}

function describe(value: unknown): string {
  if (!(value instanceof Error)) return typeof value === "string" ? value : `a thrown ${typeof value}`;
  const code = "code" in value ? value.code : undefined;
  const suffix = typeof code === "string" || typeof code === "number" ? ` (${code})` : "";
  return `${value.name}: ${value.message}${suffix}`;
}

function bounded(text: string, maxChars: number): string {
  const scrubbed = scrubSecrets(printableText(text));
  return scrubbed.length <= maxChars ? scrubbed : `${scrubbed.slice(0, maxChars)}…`;
}
