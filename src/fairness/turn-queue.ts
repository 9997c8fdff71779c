/**
 * Work for one plugin on the host's thread that comes in bursts: hundreds of messages in one packet, as many deadlines
 * at the same moment, all the calls of a process that has ended. Work is done at once while the plugin's turn lasts,
 * and otherwise in its next turn. Order is kept, but the queue is bounded: beyond the bound, work is done at once.
 *
 * @module
 */

import { Fifo } from "../scheduling/fifo.ts";
import type { Pace } from "../scheduling/pace.ts";
import { TimeSlice } from "../scheduling/time-slice.ts";

/** More than a replica handles at a time by default, so that only the messages of a flood can exceed it. */
const MAX_WAITING = 2_048;

/** Work that follows within this time counts as the same burst, and shares a turn. */
const PAUSE_MS = 0.05;

/** Must not throw: its caller has returned by then. */
type Work = () => void;

export class TurnQueue {
  readonly #pace: Pace;
  readonly #waiting = new Fifo<Work>();
  /** The current turn. Only the time of work counts, not the time in between. */
  readonly #slice = new TimeSlice(PAUSE_MS);
  /** Set while the queue waits for its next turn: cancels the wait. */
  #endRest: (() => void) | undefined;
  #empty: PromiseWithResolvers<void> | undefined;

  constructor(pace: Pace) {
    this.#pace = pace;
  }

  /**
   * Does the work in the plugin's next turn. For the work of timers: after each timer that fires, Node flushes what was
   * written, and hundreds that fire together would cost as many system calls.
   */
  defer(work: Work): void {
    this.#waiting.push(work);
    this.#endRest ??= this.#pace.rest(() => this.#takeTurn());
  }

  /** Does the work now, or in the plugin's next turn. Pass `nowMs` if you have just read the clock. */
  run(work: Work, nowMs: number = performance.now()): void {
    const turnMs = this.#endRest === undefined ? this.#pace.turnMs(nowMs) : 0;
    if (this.#slice.isPaused(nowMs)) this.#slice.begin(nowMs, turnMs);
    if (this.#slice.usedMs < turnMs || this.#waiting.size >= MAX_WAITING) {
      this.#slice.resume(nowMs);
      this.#do(work, nowMs);
      return;
    }
    this.defer(work);
  }

  /** Resolves when nothing waits. */
  async settled(): Promise<void> {
    if (this.#waiting.isEmpty) return;
    this.#empty ??= Promise.withResolvers();
    await this.#empty.promise;
  }

  /** Does all waiting work now. */
  flush(): void {
    this.#endRest?.();
    this.#endRest = undefined;
    // Work that is added meanwhile is not part of it.
    for (let left = this.#waiting.size; left > 0; left -= 1) {
      const work = this.#waiting.shift();
      if (work === undefined) break;
      const nowMs = performance.now();
      this.#slice.resume(nowMs);
      this.#do(work, nowMs);
    }
    this.#noteEmpty();
  }

  #takeTurn(): void {
    this.#endRest = undefined;
    let nowMs = performance.now();
    this.#slice.begin(nowMs, this.#pace.turnMs(nowMs));
    while (!this.#slice.isOver(nowMs)) {
      const work = this.#waiting.shift();
      if (work === undefined) break;
      nowMs = this.#do(work, nowMs);
    }
    if (!this.#waiting.isEmpty) this.#endRest ??= this.#pace.rest(() => this.#takeTurn());
    else this.#noteEmpty();
  }

  /** Returns the time at which the work was done. */
  #do(work: Work, nowMs: number): number {
    work();
    const endMs = performance.now();
    this.#slice.stop(endMs);
    this.#pace.spend(endMs - nowMs, endMs);
    return endMs;
  }

  #noteEmpty(): void {
    this.#empty?.resolve();
    this.#empty = undefined;
  }
}
