/**
 * Values that pass between a guest and the host's implementations. A component can declare any types for an interface that
 * it imports, and pass any integer as a handle. So each argument's type and range are checked at run time, and an argument
 * that fails the check is a trap.
 *
 * The values have the shapes of the published JavaScript mapping of WIT: `u64` is a bigint, `list<u8>` a Uint8Array, a
 * variant `{ tag, val }`. A function with a `result` returns `{ tag: "ok" | "err", val }` and throws only to trap.
 *
 * @module
 */

import { type ErrorCode, errorRow } from "../../errors/table.ts";
import { createTrap } from "./trap.ts";

/** A WIT `result`. */
export type Result<Ok, Err> = { readonly tag: "ok"; readonly val: Ok } | { readonly tag: "err"; readonly val: Err };

const MAX_U16 = 0xffff;
const MAX_U64 = 2n ** 64n - 1n;

/** The `ok` of a `result<_, E>`. */
export const DONE: Result<undefined, never> = Object.freeze({ tag: "ok", val: undefined });

export function ok<Ok>(val: Ok): Result<Ok, never> {
  return { tag: "ok", val };
}

export function err<Err>(val: Err): Result<never, Err> {
  return { tag: "err", val };
}

/** The text of an operation's error, as the guest gets it. */
export function operationError(code: ErrorCode): string {
  return `${code}: ${errorRow(code).summary}`;
}

/** Returns an argument that is a `u16`; traps for any other. */
export function expectU16(value: unknown): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > MAX_U16)
    throw createTrap("an argument is not a u16");
  return value;
}

/** Returns an argument that is a `u64`; traps for any other. */
export function expectU64(value: unknown): bigint {
  if (typeof value !== "bigint" || value < 0n || value > MAX_U64) throw createTrap("an argument is not a u64");
  return value;
}

/** Returns an argument that is a string; traps for any other. */
export function expectString(value: unknown): string {
  if (typeof value !== "string") throw createTrap("an argument is not a string");
  return value;
}

/** Returns an argument that is a `list<u8>`; traps for any other. */
export function expectBytes(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw createTrap("an argument is not a list<u8>");
  return value;
}

/** Returns an argument that is a list, with its elements unchecked; traps for any other. */
export function expectArray(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw createTrap("an argument is not a list");
  return value;
}

/** The tag of a variant, which must be one of `tags`, and its payload, which is not checked. */
export function expectVariant<Tag extends string>(value: unknown, tags: readonly Tag[]): { tag: Tag; val: unknown } {
  const { tag, val } = (typeof value === "object" && value !== null ? value : {}) as { tag?: unknown; val?: unknown };
  const known = tags.find((name) => name === tag);
  if (known === undefined) throw createTrap("an argument is not a case of its variant");
  return { tag: known, val };
}
