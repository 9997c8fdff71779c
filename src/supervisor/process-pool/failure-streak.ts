/**
 * How often a plugin's processes ended by themselves in a row, each soon after its start, and what follows from
 * it: how long to wait before the next start, whether it is under suspicion, whether its circuit is open.
 *
 * @module
 */

import { FIXED_LIMITS } from "../../contract/limits.ts";

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 30_000;
/** A process that lived this long had not failed in a row. */
const STABLE_MS = 10_000;
/** One failure happens to anybody. */
const SUSPECT_FAILURES = 2;

export class FailureStreak {
  #failures = 0;
  #lastMs = Number.NEGATIVE_INFINITY;

  get failures(): number {
    return this.#failures;
  }

  /** Must the next process keep from taking the processor from others? */
  get isSuspect(): boolean {
    return this.#failures >= SUSPECT_FAILURES;
  }

  /** Must the next process prove itself before it serves? */
  get isOpen(): boolean {
    return this.#failures >= FIXED_LIMITS.circuitFailures;
  }

  /** Has nothing failed lately? */
  get isSteady(): boolean {
    return performance.now() - this.#lastMs >= STABLE_MS;
  }

  /** Time to wait before the next start: none after a first failure, more and more after failures in a row. */
  add(): number {
    const delayMs = this.#failures === 0 ? 0 : Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (this.#failures - 1));
    this.#failures += 1;
    this.#lastMs = performance.now();
    return delayMs;
  }

  /** A process lived for so long, however it ended. */
  lived(livedMs: number): void {
    if (livedMs >= STABLE_MS) this.#failures = 0;
  }

  /** A trial went well. One failure more, soon, and the circuit is open again. */
  survived(): void {
    this.#failures = FIXED_LIMITS.circuitFailures - 1;
  }
}
