/**
 * Checks that the gates of several capabilities make: the access level that an operation needs, and the time that it may
 * take. Pure.
 *
 * @module
 */

import { type AccessLevel, bitsFromLevels } from "../contract/access-levels.ts";
import type { ErrorCode } from "../errors/table.ts";
import type { Terms } from "../policy/authority.ts";

/** An operation that does not happen. `reason` is a sentence for the plugin to read: nothing of this host in it. */
export interface Refusal {
  readonly kind: "refused";
  readonly code: ErrorCode;
  readonly reason: string;
}

/** Makes a {@link Refusal}. */
export function refused(code: ErrorCode, reason: string): Refusal {
  return { kind: "refused", code, reason };
}

/** For every operation of a version that may do nothing any more. */
export const REVOKED: Refusal = refused("access-denied", "the policy no longer allows what the plugin requests.");

/** Why an operation that needs this level is not allowed; each of the grants must hold it. */
export function refuseLevel(terms: Terms, level: AccessLevel): Refusal | undefined {
  if (terms.kind === "denied") return REVOKED;
  const bit = bitsFromLevels([level]);
  if (terms.grants.every(({ levels }) => (levels & bit) !== 0)) return undefined;
  return refused("access-denied", `the plugin's grant does not hold the access level ${level}.`);
}

/**
 * Time that is kept back from an operation, so that the plugin can still answer when nobody else does: this much, or a
 * quarter of what is left where that is less.
 */
const ANSWER_RESERVE_MS = 100;

/** What an operation may use of the time that is left. */
export function usableMs(remainingMs: number): number {
  return Math.floor(remainingMs - Math.min(ANSWER_RESERVE_MS, remainingMs / 4));
}
