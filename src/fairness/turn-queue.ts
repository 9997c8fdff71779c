/**
 * Work for one plugin on the host's thread that comes in bursts: hundreds of messages in one packet, as many deadlines
 * at the same moment, all the calls of a process that has ended. It is done at once as a rule, and where the plugin's
 * turn is over, in its next one. Order is kept. What waits is bounded: beyond that, work is done at once.
 *
 * @module
 */

import type { Pace } from "../channel/channel.ts";

/** More than a replica handles at a time by default, so that only messages of a flood can be beyond it. */
const MAX_WAITING = 2_048;

/** Work that follows faster came together, and shares a turn. */
const PAUSE_MS = 0.05;

/** Must not throw: whoever asked for it is gone by then. */
type Work = () => void;

export class TurnQueue {
  readonly #pace: Pace;
  #waiting: Work[] = [];
  /** What this turn has taken so far, and when it last did. */
  #spentMs = 0;
  #lastMs = Number.NEGATIVE_INFINITY;
  /** Set while the next turn is awaited: waits no more. */
  #endRest: (() => void) | undefined;
  #empty: PromiseWithResolvers<void> | undefined;

  constructor(pace: Pace) {
    this.#pace = pace;
  }

  /**
   * Does it in the plugin's next turn. For what a timer asks for: behind each timer that fires Node lets all that was
   * written leave, and hundreds that fire together would cost as many system calls.
   */
  defer(work: Work): void {
    this.#waiting.push(work);
    this.#endRest ??= this.#pace.rest(() => this.#takeTurn());
  }

  /** Does it now, or when the plugin has its turn. */
  run(work: Work): void {
    const nowMs = performance.now();
    if (nowMs - this.#lastMs > PAUSE_MS) this.#spentMs = 0;
    const isTurn = this.#endRest === undefined && this.#spentMs < this.#pace.turnMs(nowMs);
    if (isTurn || this.#waiting.length >= MAX_WAITING) {
      this.#do(work, nowMs);
      return;
    }
    this.defer(work);
  }

  /** Resolves when nothing waits. */
  async settled(): Promise<void> {
    if (this.#waiting.length === 0) return;
    this.#empty ??= Promise.withResolvers();
    await this.#empty.promise;
  }

  /** Does all that waits, now. */
  flush(): void {
    this.#endRest?.();
    this.#endRest = undefined;
    for (const work of this.#waiting.splice(0)) this.#do(work, performance.now());
    this.#noteEmpty();
  }

  #takeTurn(): void {
    this.#endRest = undefined;
    this.#spentMs = 0;
    let nowMs = performance.now();
    const turnMs = this.#pace.turnMs(nowMs);
    let done = 0;
    while (done < this.#waiting.length && this.#spentMs < turnMs) {
      nowMs = this.#do(this.#waiting[done] as Work, nowMs);
      done += 1;
    }
    this.#waiting = this.#waiting.slice(done);
    if (this.#waiting.length > 0) this.#endRest ??= this.#pace.rest(() => this.#takeTurn());
    else this.#noteEmpty();
  }

  /** Answers when it was done. */
  #do(work: Work, nowMs: number): number {
    work();
    const endMs = performance.now();
    this.#spentMs += endMs - nowMs;
    this.#lastMs = endMs;
    this.#pace.spend(endMs - nowMs, endMs);
    return endMs;
  }

  #noteEmpty(): void {
    this.#empty?.resolve();
    this.#empty = undefined;
  }
}
