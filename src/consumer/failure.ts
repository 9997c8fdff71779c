/**
 * Outcomes that the host gives a request itself.
 *
 * @module
 */

import type { Outcome } from "../contract/request.ts";
import type { ErrorCode } from "../errors/table.ts";
import { describeDenial } from "../policy/decide.ts";
import type { Denial } from "../policy/policy.ts";

export type Failure = Extract<Outcome, { kind: "failed" }>;

interface FailureHints {
  readonly safeText?: string;
  readonly retryAfterMs?: number;
}

export function failed(code: ErrorCode, message: string, hints: FailureHints = {}): Failure {
  return { kind: "failed", code, message, ...hints };
}

/** The plugin requests what its policy does not allow. */
export function denied(denial: Denial): Failure {
  const why = describeDenial(denial);
  return failed("denied", why, { safeText: why });
}
