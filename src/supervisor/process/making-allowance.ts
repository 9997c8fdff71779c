/**
 * A fresh instance for each request is the host's wish and not the plugin's appetite: languages with a runtime of their
 * own need some milliseconds for one. But a guest's code runs meanwhile, and the runner's word is all that there is for
 * how long it took. So each request that is begun allows for one instance of a bounded size, and little is saved up.
 *
 * @module
 */

import { FIXED_LIMITS } from "../../contract/limits.ts";

/** Requests whose allowance is kept: the instances of a burst are made one after another. */
const SAVED_CALLS = 16;

export class MakingAllowance {
  #savedMs: number = FIXED_LIMITS.instanceMs;
  /** Requests up to the last {@link take}. */
  #calls = 0;

  /** The part of the time for an instance that is allowed, when so many requests have begun so far. */
  take(ms: number, calls: number): number {
    const earnedMs = (calls - this.#calls) * FIXED_LIMITS.instanceMs;
    this.#savedMs = Math.min(SAVED_CALLS * FIXED_LIMITS.instanceMs, this.#savedMs + earnedMs);
    this.#calls = calls;
    const allowedMs = Math.min(ms, FIXED_LIMITS.instanceMs, this.#savedMs);
    this.#savedMs -= allowedMs;
    return allowedMs;
  }
}
