/**
 * Starts guests in the order of their requests, and lets the event loop turn between them: a burst of requests that compute
 * must not keep the runner from receiving a ping or a cancellation.
 *
 * Guests that have begun go before those that wait: the fewer are running at a time, the fewer instances take turns in the
 * processor's caches, and the fewer must be made. So after a slice of starts there is another once an event-loop turn has
 * resumed no guest. Meanwhile a few starts among the resumptions keep guests that are resumed again and again from holding
 * up all others.
 *
 * @module
 */

import { Fifo } from "../scheduling/fifo.ts";
import { TimeSlice } from "../scheduling/time-slice.ts";

/** How long guests start back to back before the event loop turns, in milliseconds. */
const TURN_MS = 4;

/**
 * A longer time without a guest means that the event loop has turned. Between two requests of one burst, the runner only
 * decodes a frame.
 */
const PAUSE_MS = 0.1;

/** While guests are resumed, one other starts for so many resumptions. Most calls are resumed less often. */
const RESUMPTIONS_A_START = 8;

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
  /** Resumptions in this turn of the event loop, and those that no start has followed yet. */
  #resumed = 0;
  #unfollowed = 0;

  /** Starts the guest at once where no other waits and time is left in the turn, else in order. */
  take(start: Start): void {
    this.#waiting.push(start);
    if (this.#state !== "idle") return;
    const nowMs = performance.now();
    if (this.#slice.isPaused(nowMs)) this.#slice.begin(nowMs, TURN_MS);
    this.#startAll(nowMs);
  }

  /** A guest that has begun continues in this turn of the event loop. */
  noteResumption(): void {
    this.#resumed += 1;
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
    this.#turn();
  }

  #turn(): void {
    this.#state = "turning";
    this.#resumed = 0;
    setImmediate(() => this.#turned());
  }

  #turned(): void {
    const turnedMs = performance.now();
    if (this.#resumed === 0) {
      this.#unfollowed = 0;
      this.#slice.begin(turnedMs, TURN_MS);
      this.#startAll(turnedMs);
      return;
    }
    this.#unfollowed += this.#resumed;
    if (this.#unfollowed < RESUMPTIONS_A_START) {
      this.#turn();
      return;
    }
    this.#unfollowed = 0;
    this.#startOne();
  }

  #startOne(): void {
    this.#state = "starting";
    const begun = this.#waiting.shift()?.();
    if (begun === undefined) this.#turn();
    else void begun.then(() => this.#turn());
  }
}
