/**
 * How much time a plugin's process may spend on making instances without being charged for it. The host requires a
 * fresh instance for each request, and languages with a runtime of their own need some milliseconds for one. But guest
 * code runs meanwhile, and only the runner, which is not trusted, reports how long it took. So each request that begins
 * earns the allowance for one instance of bounded cost, and only a few are saved up.
 *
 * @module
 */

import { FIXED_LIMITS } from "../../contract/limits.ts";

/** Requests whose allowance is saved: the instances of a burst are made one after another. */
const SAVED_CALLS = 16;

export class MakingAllowance {
  #savedMs: number = FIXED_LIMITS.instanceMs;
  /** Requests up to the last {@link take}. */
  #calls = 0;

  /** The part of an instance's time that is not charged, when `calls` requests have begun so far. */
  take(ms: number, calls: number): number {
    const earnedMs = (calls - this.#calls) * FIXED_LIMITS.instanceMs;
    this.#savedMs = Math.min(SAVED_CALLS * FIXED_LIMITS.instanceMs, this.#savedMs + earnedMs);
    this.#calls = calls;
    const allowedMs = Math.min(ms, FIXED_LIMITS.instanceMs, this.#savedMs);
    this.#savedMs -= allowedMs;
    return allowedMs;
  }
}
