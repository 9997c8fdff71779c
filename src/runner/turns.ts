/**
 * Starts guests in the order in which they were asked for, and lets the event loop turn between them: a burst
 * of requests that compute must not keep the runner from hearing a ping or a cancellation.
 *
 * @module
 */

import { Fifo } from "../scheduling/fifo.ts";
import { TimeSlice } from "../scheduling/time-slice.ts";

/** How long guests are started back to back before the event loop turns. */
const TURN_MS = 1;

/**
 * So long a time without a guest means that the event loop has turned. What lies between two requests of one burst
 * is the decoding of a frame.
 */
const PAUSE_MS = 0.1;

/**
 * Starts a guest. The result settles once the guest has returned control for the first time, and never rejects;
 * `undefined` where it has already.
 */
export type Start = () => Promise<void> | undefined;

export class Turns {
  readonly #waiting = new Fifo<Start>();
  /** What lies between two guests of a burst counts. */
  readonly #slice = new TimeSlice(PAUSE_MS);
  /** `turning`: guests wait for the next turn of the event loop. */
  #state: "idle" | "starting" | "turning" = "idle";

  /** Starts at once where nothing waits and there is time, else in its turn. */
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
