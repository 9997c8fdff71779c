/**
 * Outcomes of requests that the host ended, or could not run.
 *
 * @module
 */

import type { Outcome } from "../contract/request.ts";
import type { ErrorCode } from "../errors/table.ts";
import { describeDenial } from "../policy/decide.ts";
import type { Denial } from "../policy/policy.ts";

export type Failure = Extract<Outcome, { kind: "failed" }>;

/** What the reply says besides the code. */
type FailureHints = Pick<Failure, "safeText" | "retryAfterMs">;

/** The log's message for a bug of the host. */
export const UNEXPECTED = "a request failed unexpectedly";

/** `message` is for the log only. */
export function failed(code: ErrorCode, message: string, hints: FailureHints = {}): Failure {
  return { kind: "failed", code, message, ...hints };
}

/** The plugin requests what its policy does not allow. */
export function denied(denial: Denial): Failure {
  const why = describeDenial(denial);
  return failed("denied", why, { safeText: why });
}
