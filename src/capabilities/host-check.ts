/**
 * Checks that the gates of several capabilities share: the access level that an operation needs, and the time that it may
 * take. Pure.
 *
 * @module
 */

import { type AccessLevel, bitsFromLevels } from "../contract/access-levels.ts";
import type { ErrorCode } from "../errors/table.ts";
import type { Terms } from "../policy/authority.ts";

/** Why an operation is refused. `reason` is a sentence for the plugin, without any detail of this host. */
export interface Refusal {
  readonly kind: "refused";
  readonly code: ErrorCode;
  readonly reason: string;
}

/** Makes a {@link Refusal}. */
export function refused(code: ErrorCode, reason: string): Refusal {
  return { kind: "refused", code, reason };
}

/** The refusal of every operation of a version that is denied everything. */
export const REVOKED: Refusal = refused("access-denied", "the policy no longer allows what the plugin requests.");

/** The refusal of an operation that needs this level, unless each of the grants holds it. */
export function refuseLevel(terms: Terms, level: AccessLevel): Refusal | undefined {
  if (terms.kind === "denied") return REVOKED;
  const bit = bitsFromLevels([level]);
  if (terms.grants.every(({ levels }) => (levels & bit) !== 0)) return undefined;
  return refused("access-denied", `the plugin's grant does not hold the access level ${level}.`);
}

/**
 * Time that is withheld from an operation, so that the plugin can still answer when the operation gets no answer: this
 * much, or a quarter of the time left where that is less.
 */
const ANSWER_RESERVE_MS = 100;

/** The part of the remaining time that an operation may use, in milliseconds. */
export function usableMs(remainingMs: number): number {
  return Math.floor(remainingMs - Math.min(ANSWER_RESERVE_MS, remainingMs / 4));
}
