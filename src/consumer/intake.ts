/**
 * Messages on their way from the connection to the handler: at once as a rule, and where a plugin has used up its
 * turn of the host's thread, in its next one. Order within a plugin is kept. What waits is bounded: beyond that a
 * message is handled at once, which is most likely to refuse it.
 *
 * @module
 */

import type { Msg } from "nats";
import type { Pace } from "../channel/channel.ts";

/** Handles a message that arrived at a time of `performance.now()`. Never throws. */
export type HandleMessage = (message: Msg, arrivedMs: number) => void;

/** Messages of one plugin that wait, at most. */
const MAX_WAITING = 256;

/** Messages that follow each other faster came together, and share a turn. */
const PAUSE_MS = 0.05;

interface Arrival {
  readonly message: Msg;
  readonly arrivedMs: number;
}

/** Messages of one plugin. */
export class Intake {
  readonly #pace: Pace;
  readonly #handle: HandleMessage;
  readonly #waiting: Arrival[] = [];
  /** What this turn has taken so far, and when. */
  #spentMs = 0;
  #lastMs = Number.NEGATIVE_INFINITY;
  /** Set while the next turn is awaited: waits no more. */
  #endRest: (() => void) | undefined;
  #empty: PromiseWithResolvers<void> | undefined;

  constructor(pace: Pace, handle: HandleMessage) {
    this.#pace = pace;
    this.#handle = handle;
  }

  take(message: Msg): void {
    const arrivedMs = performance.now();
    if (arrivedMs - this.#lastMs > PAUSE_MS) this.#spentMs = 0;
    const goesOn = this.#endRest === undefined && this.#spentMs < this.#pace.turnMs(arrivedMs);
    if (goesOn || this.#waiting.length >= MAX_WAITING) {
      this.#pass({ message, arrivedMs }, arrivedMs);
      return;
    }
    this.#waiting.push({ message, arrivedMs });
    this.#endRest ??= this.#pace.rest(() => this.#takeTurn());
  }

  /** Resolves when nothing waits. */
  async settled(): Promise<void> {
    if (this.#waiting.length === 0) return;
    this.#empty ??= Promise.withResolvers();
    await this.#empty.promise;
  }

  /** Handles all that waits, now. */
  flush(): void {
    this.#endRest?.();
    this.#endRest = undefined;
    for (const arrival of this.#waiting.splice(0)) this.#pass(arrival, performance.now());
    this.#empty?.resolve();
  }

  #takeTurn(): void {
    this.#endRest = undefined;
    this.#spentMs = 0;
    let nowMs = performance.now();
    const turnMs = this.#pace.turnMs(nowMs);
    let taken = 0;
    while (taken < this.#waiting.length && this.#spentMs < turnMs) {
      nowMs = this.#pass(this.#waiting[taken] as Arrival, nowMs);
      taken += 1;
    }
    this.#waiting.splice(0, taken);
    if (this.#waiting.length > 0) this.#endRest = this.#pace.rest(() => this.#takeTurn());
    else this.#empty?.resolve();
  }

  /** Answers when it had done so. */
  #pass({ message, arrivedMs }: Arrival, nowMs: number): number {
    this.#handle(message, arrivedMs);
    const endMs = performance.now();
    this.#spentMs += endMs - nowMs;
    this.#lastMs = endMs;
    this.#pace.spend(endMs - nowMs, endMs);
    return endMs;
  }
}
