/**
 * When a message arrived, as far as this process can know. It knows when it read it, and that it could have read it
 * earlier only from when it last looked: a process that stalled (stopped, starved, in a machine that was suspended)
 * finds messages whose callers have long given up. So the age of a message counts from when the event loop should have
 * turned; in doubt it is taken for older than it is, and its caller is told to send it again.
 *
 * After a stall, what the server had sent is read in several turns. All that comes before the answer to a question which
 * was asked after it may be as old as the stall; what comes behind that answer is not.
 *
 * @module
 */

import { uptime } from "node:os";

/** How often the event loop shows that it turns. */
const BEAT_MS = 25;

/** So late it has stalled: what is read in the next turns may be as old. */
const STALL_MS = 100;

/** Milliseconds of the clocks that there are. */
export interface Clocks {
  /** `performance.now()`, which does not advance while the machine is suspended. */
  readonly nowMs: () => number;
  /** The time of day, which does not, and which somebody may set. */
  readonly dayMs: () => number;
  /** Since the machine was started, suspended or not. Costs some microseconds. */
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
  /** When the event loop shows next that it turns. */
  #dueMs: number;
  /** Of the time of day and of the uptime, against `nowMs`. */
  #dayOffsetMs: number;
  #uptimeOffsetMs: number;
  /** Set after a stall: what is read now may have been there since then. */
  #staleSinceMs: number | undefined;
  #catchingUp = 0;

  /** `caughtUp` settles when all has been read that the server sent before it was called, or can never be. */
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

  /** The arrival of a message that is read now, as `performance.now()` counts. */
  stamp(): number {
    const { nowMs, stalledMs } = this.#look();
    return this.#staleSinceMs ?? nowMs - stalledMs;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#beat);
  }

  /** How long has the event loop not turned, though it should have? */
  #look(): { readonly nowMs: number; readonly stalledMs: number } {
    const nowMs = this.#clocks.nowMs();
    const stalledMs = Math.max(0, nowMs - this.#dueMs) + this.#suspendedMs(nowMs);
    if (stalledMs >= STALL_MS) this.#catchUp(nowMs - stalledMs);
    return { nowMs, stalledMs };
  }

  /** How long was the machine suspended since the last look? A time of day that somebody set is not such a thing. */
  #suspendedMs(nowMs: number): number {
    const dayOffsetMs = this.#clocks.dayMs() - nowMs;
    const jumpMs = dayOffsetMs - this.#dayOffsetMs;
    if (jumpMs < STALL_MS) {
      // It may drift behind the other clock, or be set back.
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
    // One stall is one question, however many messages are read in the turn behind it.
    this.#dueMs = this.#clocks.nowMs() + BEAT_MS;
    this.#catchingUp += 1;
    const ended = (): void => {
      this.#catchingUp -= 1;
      if (this.#catchingUp === 0) this.#staleSinceMs = undefined;
    };
    this.#caughtUp().then(ended, ended);
  }
}
