/**
 * Decides whether a call that failed is tried again, and when.
 *
 * Only what the reply calls retryable is tried again, and what may have been done in part only if the caller has said that
 * twice does no harm. Waits grow and are random, so that callers who were refused together do not come back together.
 *
 * @module
 */

import type { Failure } from "./call-error.ts";

/** What a caller allows. */
export interface RetryPolicy {
  readonly maxTries: number;
  readonly isIdempotent: boolean;
  readonly waitForReplica: boolean;
}

/** Where the call is. */
export interface TryState {
  /** How often the request was sent. */
  readonly tries: number;
  readonly leftMs: number;
}

/** The random part of the first wait, at most; it doubles with each try. */
const FIRST_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 2_000;

/** How long to wait before the next try, or `undefined` if there is to be none. `random` is in [0, 1). */
export function retryDelayMs(
  failure: Failure,
  policy: RetryPolicy,
  { tries, leftMs }: TryState,
  random: number,
): number | undefined {
  if (!isWorthwhile(failure, policy) || tries >= policy.maxTries) return undefined;
  const backoffMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (tries - 1));
  const delayMs = (failure.retryAfterMs ?? 0) + random * backoffMs;
  // A try that has no time left would only put off the news.
  return delayMs + 1 <= leftMs ? delayMs : undefined;
}

function isWorthwhile(failure: Failure, policy: RetryPolicy): boolean {
  // Nobody has said that this is retryable: a misspelt name looks the same.
  if (failure.code === "no-responders") return policy.waitForReplica;
  // The connection is closed, or this user may not publish; a connection that is lost comes back without a failure.
  if (failure.code === "nats-unavailable") return false;
  return failure.isRetryable && (policy.isIdempotent || !failure.mayHaveRun);
}
