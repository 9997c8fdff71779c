/**
 * A time slice: how long work may continue before others get the thread. The worker checks the clock between two pieces; nothing
 * is interrupted.
 *
 * Work in a slice may stop and resume. If it stopped for longer than a pause, others had the thread meanwhile and a new slice
 * begins.
 *
 * @module
 */

export class TimeSlice {
  readonly #pauseMs: number;
  #startMs = Number.NEGATIVE_INFINITY;
  #endMs = Number.NEGATIVE_INFINITY;
  #stoppedMs = Number.NEGATIVE_INFINITY;

  /** A slice that is over. `pauseMs`: if work stops for longer, others have had the thread meanwhile. */
  constructor(pauseMs: number = Number.POSITIVE_INFINITY) {
    this.#pauseMs = pauseMs;
  }

  /** When it began, moved later by each stop that {@link resume} ended. */
  get startMs(): number {
    return this.#startMs;
  }

  /** How much of it had been used when the work stopped. */
  get usedMs(): number {
    return this.#stoppedMs - this.#startMs;
  }

  /** Begins a new slice of this length. */
  begin(nowMs: number, lengthMs: number): void {
    this.#startMs = nowMs;
    this.#endMs = nowMs + lengthMs;
    this.#stoppedMs = nowMs;
  }

  /** Is it over, if work has continued until now? */
  isOver(nowMs: number): boolean {
    return nowMs >= this.#endMs;
  }

  /** The work stops. */
  stop(nowMs: number): void {
    this.#stoppedMs = nowMs;
  }

  /** Has the work stopped for longer than a pause? */
  isPaused(nowMs: number): boolean {
    return nowMs - this.#stoppedMs > this.#pauseMs;
  }

  /** The work continues, and the time since it stopped does not count. */
  resume(nowMs: number): void {
    const stoppedForMs = nowMs - this.#stoppedMs;
    this.#startMs += stoppedForMs;
    this.#endMs += stoppedForMs;
    this.#stoppedMs = nowMs;
  }
}
