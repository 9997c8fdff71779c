/**
 * Values and errors as text, for the log.
 *
 * @module
 */

import { authorFrames } from "./positions.ts";

/** What an error says to a caller: without a stack. */
export function messageOf(error: unknown): string {
  // The host's own errors have the contract's text as their payload.
  if (isErrorLike(error)) return typeof error.payload === "string" ? error.payload : String(error.message);
  return typeof error === "string" ? error : show(error);
}

/** An error with its kind, and where in the author's files it came from. */
export function describeError(error: unknown): string {
  if (!isErrorLike(error)) return show(error);
  return [`${error.name}: ${messageOf(error)}`, ...authorFrames(error.stack).map((frame) => `    ${frame}`)].join("\n");
}

/** Any value as one would write it. */
export function show(value: unknown): string {
  if (typeof value === "string") return value;
  if (isErrorLike(value)) return describeError(value);
  if (typeof value === "function") return `[function ${value.name || "without a name"}]`;
  if (typeof value !== "object" || value === null) return String(value);
  const outer: object[] = [];
  try {
    const text: unknown = JSON.stringify(value, function replace(this: unknown, _key, inner: unknown) {
      return plain(inner, this, outer);
    });
    return typeof text === "string" ? text : "[object without a form in JSON]";
  } catch (error) {
    return `[object that cannot be shown: ${messageOf(error)}]`;
  }
}

/** What JSON leaves out or fails on, as what it can write. */
function plain(value: unknown, holder: unknown, outer: object[]): unknown {
  if (typeof value === "bigint") return `${value}n`;
  if (value === undefined || typeof value === "function" || typeof value === "symbol") return String(value);
  if (typeof value !== "object" || value === null) return value;
  while (outer.length > 0 && outer.at(-1) !== holder) outer.pop();
  if (outer.includes(value)) return "[circular]";
  outer.push(value);
  if (isErrorLike(value)) return `${value.name}: ${messageOf(value)}`;
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, one]) => [show(key), one]));
  if (value instanceof Set) return [...value];
  if (value instanceof Uint8Array) return [...value];
  return value;
}

interface ErrorLike {
  readonly name: string;
  readonly message: unknown;
  readonly stack: string;
  readonly payload?: unknown;
}

/** The host's errors are no instances of `Error` on StarlingMonkey. */
function isErrorLike(value: unknown): value is ErrorLike {
  return typeof value === "object" && value !== null && "message" in value && "stack" in value;
}
