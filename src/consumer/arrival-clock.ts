/**
 * Estimates when a message arrived. The process knows only when it read the message. After a stall (it was stopped or
 * starved, or its machine was suspended) it reads messages whose callers gave up long ago. So the age of a message
 * counts from the moment when the event loop should have turned. In doubt a message counts as older than it is, and its
 * caller gets an error that it may retry.
 *
 * After a stall, the process reads what the server had sent in several turns of the event loop. So it asks the server a
 * question. Messages that come before the answer may be as old as the stall; later ones are not.
 *
 * @module
 */

import { uptime } from "node:os";

/** How often a timer checks that the event loop turns. */
const BEAT_MS = 25;

/** If the timer is this late, the process has stalled, and what it reads in the next turns may be as old. */
const STALL_MS = 100;

/** When a message was read, and when it is estimated to have arrived, both on the clock of `performance.now()`. */
export interface Arrival {
  readonly readMs: number;
  readonly arrivedMs: number;
}

/** The machine's clocks, in milliseconds. */
export interface Clocks {
  /** `performance.now()`, which does not advance while the machine is suspended. */
  readonly nowMs: () => number;
  /** The time of day, which does advance then, and which may be set. */
  readonly dayMs: () => number;
  /** Time since the machine started, including suspension. Costs some microseconds. */
  readonly uptimeMs: () => number;
}

const MACHINE: Clocks = {
  nowMs: () => performance.now(),
  dayMs: () => Date.now(),
  uptimeMs: () => uptime() * 1_000,
};

export class ArrivalClock implements Disposable {
  readonly #caughtUp: () => Promise<void>;
  readonly #clocks: Clocks;
  readonly #beat: NodeJS.Timeout;
  /** When the timer is due next. */
  #dueMs: number;
  /** How far the time of day and the uptime are ahead of `nowMs`. */
  #dayOffsetMs: number;
  #uptimeOffsetMs: number;
  /** Set after a stall: what is read now may have arrived at this time. */
  #staleSinceMs: number | undefined;
  #catchingUp = 0;

  /** `caughtUp` settles when everything has been read that the server sent before the call, or never can be. */
  constructor(caughtUp: () => Promise<void>, clocks: Clocks = MACHINE) {
    this.#caughtUp = caughtUp;
    this.#clocks = clocks;
    const nowMs = clocks.nowMs();
    this.#dueMs = nowMs + BEAT_MS;
    this.#dayOffsetMs = clocks.dayMs() - nowMs;
    this.#uptimeOffsetMs = clocks.uptimeMs() - nowMs;
    this.#beat = setInterval(() => {
      this.#look();
      this.#dueMs = clocks.nowMs() + BEAT_MS;
    }, BEAT_MS).unref();
  }

  /** Stamps a message that is read now. */
  stamp(): Arrival {
    const { nowMs, stalledMs } = this.#look();
    return { readMs: nowMs, arrivedMs: this.#staleSinceMs ?? nowMs - stalledMs };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#beat);
  }

  /** For how long was the event loop due to turn but did not? */
  #look(): { readonly nowMs: number; readonly stalledMs: number } {
    const nowMs = this.#clocks.nowMs();
    const stalledMs = Math.max(0, nowMs - this.#dueMs) + this.#suspendedMs(nowMs);
    if (stalledMs >= STALL_MS) this.#catchUp(nowMs - stalledMs);
    return { nowMs, stalledMs };
  }

  /** How long was the machine suspended since the last look? Setting the time of day does not count. */
  #suspendedMs(nowMs: number): number {
    const dayOffsetMs = this.#clocks.dayMs() - nowMs;
    const jumpMs = dayOffsetMs - this.#dayOffsetMs;
    if (jumpMs < STALL_MS) {
      // The time of day may drift behind the other clock, or be set back.
      this.#dayOffsetMs = dayOffsetMs;
      return 0;
    }
    this.#dayOffsetMs = dayOffsetMs;
    const uptimeOffsetMs = this.#clocks.uptimeMs() - nowMs;
    const suspendedMs = uptimeOffsetMs - this.#uptimeOffsetMs;
    this.#uptimeOffsetMs = uptimeOffsetMs;
    return suspendedMs < STALL_MS ? 0 : suspendedMs;
  }

  #catchUp(sinceMs: number): void {
    this.#staleSinceMs = Math.min(sinceMs, this.#staleSinceMs ?? sinceMs);
    // One stall causes one question, however many messages are read in the turn after it.
    this.#dueMs = this.#clocks.nowMs() + BEAT_MS;
    this.#catchingUp += 1;
    const ended = (): void => {
      this.#catchingUp -= 1;
      if (this.#catchingUp === 0) this.#staleSinceMs = undefined;
    };
    this.#caughtUp().then(ended, ended);
  }
}
