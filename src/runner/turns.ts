/**
 * Starts guests in the order in which they were asked for, and lets the event loop turn between them: a burst
 * of requests that compute must not keep the runner from hearing a ping or a cancellation.
 *
 * @module
 */

import { setImmediate as turn } from "node:timers/promises";

/** How long guests are started back to back before the event loop turns. */
const TURN_MS = 1;

/** Starts a guest; settles once it has returned control for the first time. Never rejects. */
export type Start = () => Promise<void>;

export class Turns {
  readonly #waiting: Start[] = [];
  #state: "idle" | "starting" = "idle";

  /** Starts at once where nothing waits, else in its turn. */
  take(start: Start): void {
    this.#waiting.push(start);
    if (this.#state === "idle") void this.#startAll();
  }

  async #startAll(): Promise<void> {
    this.#state = "starting";
    while (this.#waiting.length > 0) {
      const endMs = performance.now() + TURN_MS;
      do await this.#waiting.shift()?.();
      while (this.#waiting.length > 0 && performance.now() < endMs);
      if (this.#waiting.length > 0) await turn();
    }
    this.#state = "idle";
  }
}
