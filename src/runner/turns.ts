/**
 * Starts guests in the order of their requests, and lets the event loop turn between them: a burst of requests that compute
 * must not keep the runner from receiving a ping or a cancellation.
 *
 * @module
 */

import { Fifo } from "../scheduling/fifo.ts";
import { TimeSlice } from "../scheduling/time-slice.ts";

/** How long guests start back to back before the event loop turns, in milliseconds. */
const TURN_MS = 1;

/**
 * A longer time without a guest means that the event loop has turned. Between two requests of one burst, the runner only
 * decodes a frame.
 */
const PAUSE_MS = 0.1;

/**
 * Starts a guest. The promise settles once the guest has returned control for the first time, and never rejects;
 * `undefined` where the guest has returned control already.
 */
export type Start = () => Promise<void> | undefined;

/** The queue of guests to start. */
export class Turns {
  readonly #waiting = new Fifo<Start>();
  /** Includes the time between two guests of a burst. */
  readonly #slice = new TimeSlice(PAUSE_MS);
  /** `turning`: guests wait for the next turn of the event loop. */
  #state: "idle" | "starting" | "turning" = "idle";

  /** Starts the guest at once where no other waits and time is left in the turn, else in order. */
  take(start: Start): void {
    this.#waiting.push(start);
    if (this.#state !== "idle") return;
    const nowMs = performance.now();
    if (this.#slice.isPaused(nowMs)) this.#slice.begin(nowMs, TURN_MS);
    this.#startAll(nowMs);
  }

  #startAll(fromMs: number): void {
    this.#state = "starting";
    let nowMs = fromMs;
    while (!this.#slice.isOver(nowMs)) {
      const start = this.#waiting.shift();
      if (start === undefined) {
        this.#state = "idle";
        this.#slice.stop(nowMs);
        return;
      }
      const begun = start();
      if (begun !== undefined) {
        void begun.then(() => this.#startAll(performance.now()));
        return;
      }
      nowMs = performance.now();
    }
    this.#state = "turning";
    setImmediate(() => {
      const turnedMs = performance.now();
      this.#slice.begin(turnedMs, TURN_MS);
      this.#startAll(turnedMs);
    });
  }
}
