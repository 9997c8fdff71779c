/**
 * Makes an outcome of what a guest's export returned or threw. A component can declare any result types, so every value is
 * checked, and one that is not of the contract's types is a trap. Only a value that the guest returned as its `err` is a
 * plugin's error; anything thrown (an instruction that traps, a stack overflow, an import that refused) is a trap.
 *
 * @module
 */

import { MAX_STATUS } from "../contract/request.ts";
import { ACCESS_LEVELS, bitsFromLevels } from "../contract/access-levels.ts";
import { guestFrames } from "./backtrace.ts";
import type { GuestOutcome, LevelsOutcome } from "./engine.ts";
import { describeThrown } from "./guest/trap.ts";

const MAX_MESSAGE_CHARACTERS = 2_048;

type Trap = Extract<GuestOutcome, { kind: "trap" }>;

/** The outcome of a `handle-request` that returned `ok(value)`. */
export function parseResponse(value: unknown): GuestOutcome {
  if (typeof value !== "object" || value === null) return illTyped("handle-request returned no record");
  const { status, body } = value as { status?: unknown; body?: unknown };
  if (!Number.isInteger(status) || (status as number) < 0 || (status as number) > MAX_STATUS)
    return illTyped("handle-request returned a status that is not a u16");
  if (!(body instanceof Uint8Array)) return illTyped("handle-request returned a body that is not a list<u8>");
  return { kind: "ok", response: { status: status as number, body } };
}

/** The outcome of a `handle-request` that returned `err(value)`. */
export function parsePluginError(value: unknown): GuestOutcome {
  if (typeof value !== "string") return illTyped("handle-request returned an error that is not a string");
  return { kind: "plugin-error", message: value };
}

/** The outcome of a `get-access-levels` that returned a value: an object of booleans, one for each flag. */
export function parseLevels(value: unknown): LevelsOutcome {
  if (typeof value !== "object" || value === null) return illTyped("get-access-levels returned no flags");
  const flags = Object.entries(value);
  const names: readonly string[] = ACCESS_LEVELS.map(camelCase);
  const areFlags =
    flags.length === names.length && flags.every(([name, set]) => names.includes(name) && isBoolean(set));
  if (!areFlags) return illTyped("get-access-levels returned other flags than the contract's");
  return { kind: "levels", levels: bitsFromLevels(ACCESS_LEVELS.filter((_, index) => value[names[index] as never])) };
}

/** The trap for an error that was thrown. Part of its text comes from the guest; it is for the log only. */
export function describeTrap(thrown: unknown): Trap {
  return { kind: "trap", message: describe(thrown).slice(0, MAX_MESSAGE_CHARACTERS) };
}

function describe(thrown: unknown): string {
  if (!(thrown instanceof Error)) return describeThrown(thrown);
  return [`${thrown.name}: ${thrown.message}`, ...guestFrames(thrown.stack ?? "")].join("\n");
}

function illTyped(message: string): Trap {
  return { kind: "trap", message };
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === "boolean";
}

function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
