/**
 * Values that cross between a guest and the host's bodies. A component declares the types it likes for an
 * interface it imports, and any integer as a handle: so each argument is checked at run time, for type and
 * range, and what does not fit is a trap.
 *
 * The shapes are those of the published JavaScript mapping of WIT: `u64` is a bigint, `list<u8>` a Uint8Array,
 * a variant `{ tag, val }`. A function with a `result` returns `{ tag: "ok" | "err", val }` and throws only to
 * trap.
 *
 * @module
 */

import { type ErrorCode, errorRow } from "../../errors/table.ts";
import { createTrap } from "./trap.ts";

/** A WIT `result`. */
export type Result<Ok, Err> = { readonly tag: "ok"; readonly val: Ok } | { readonly tag: "err"; readonly val: Err };

const MAX_U16 = 0xffff;
const MAX_U64 = 2n ** 64n - 1n;

/** The `result<_, E>` that says yes. */
export const DONE: Result<undefined, never> = Object.freeze({ tag: "ok", val: undefined });

export function ok<Ok>(val: Ok): Result<Ok, never> {
  return { tag: "ok", val };
}

export function err<Err>(val: Err): Result<never, Err> {
  return { tag: "err", val };
}

/** What a guest reads where an operation was refused. */
export function operationError(code: ErrorCode): string {
  return `${code}: ${errorRow(code).summary}`;
}

export function expectU16(value: unknown): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > MAX_U16)
    throw createTrap("an argument is not a u16");
  return value;
}

export function expectU64(value: unknown): bigint {
  if (typeof value !== "bigint" || value < 0n || value > MAX_U64) throw createTrap("an argument is not a u64");
  return value;
}

export function expectString(value: unknown): string {
  if (typeof value !== "string") throw createTrap("an argument is not a string");
  return value;
}

export function expectBytes(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw createTrap("an argument is not a list<u8>");
  return value;
}

export function expectArray(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw createTrap("an argument is not a list");
  return value;
}

/** The tag of a variant, one of `tags`, and its payload, unchecked. */
export function expectVariant<Tag extends string>(value: unknown, tags: readonly Tag[]): { tag: Tag; val: unknown } {
  const { tag, val } = (typeof value === "object" && value !== null ? value : {}) as { tag?: unknown; val?: unknown };
  const known = tags.find((name) => name === tag);
  if (known === undefined) throw createTrap("an argument is not a case of its variant");
  return { tag: known, val };
}
