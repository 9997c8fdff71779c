/**
 * Counts how often in a row a plugin's processes ended by themselves soon after their start, and derives from it how
 * long to wait before the next start, whether the next process is suspect and whether the circuit is open.
 *
 * @module
 */

import { FIXED_LIMITS } from "../../contract/limits.ts";

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 30_000;
/** A process that lived this long ends the streak. */
const STABLE_MS = 10_000;
/** One failure alone is not suspicious. */
const SUSPECT_FAILURES = 2;

export class FailureStreak {
  #failures = 0;
  #lastMs = Number.NEGATIVE_INFINITY;

  get failures(): number {
    return this.#failures;
  }

  /** Must the next process start with a low priority? */
  get isSuspect(): boolean {
    return this.#failures >= SUSPECT_FAILURES;
  }

  /** Must the next process prove itself before it serves? */
  get isOpen(): boolean {
    return this.#failures >= FIXED_LIMITS.circuitFailures;
  }

  /** Has no process failed lately? */
  get isSteady(): boolean {
    return performance.now() - this.#lastMs >= STABLE_MS;
  }

  /**
   * Counts a failure. Returns the time to wait before the next start: none after the first one, then longer and longer.
   */
  add(): number {
    const delayMs = this.#failures === 0 ? 0 : Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (this.#failures - 1));
    this.#failures += 1;
    this.#lastMs = performance.now();
    return delayMs;
  }

  /** A process lived for `livedMs`, however it ended. */
  lived(livedMs: number): void {
    if (livedMs >= STABLE_MS) this.#failures = 0;
  }

  /** A trial succeeded. One more failure soon afterwards opens the circuit again. */
  survived(): void {
    this.#failures = FIXED_LIMITS.circuitFailures - 1;
  }
}
