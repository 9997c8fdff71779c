/**
 * How much all requests of one plugin may log together in a time: each has a limit of its own, and hundreds of them
 * at a time would still fill the log, and the thread that writes it, at the cost of everybody else. Pure.
 *
 * @module
 */

import { FIXED_LIMITS } from "../contract/limits.ts";

const MS_PER_SECOND = 1_000;

/** What has been saved up may be spent at once: as much as comes in so many seconds. */
const BURST_SECONDS = 2;

/** An allowance that fills up by and by. */
class Allowance {
  readonly #perSecond: number;
  #left: number;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond * BURST_SECONDS;
  }

  /** May be below 0: what is larger than all there is passes once, and is owed. */
  get left(): number {
    return this.#left;
  }

  fill(elapsedMs: number): void {
    const gained = (elapsedMs / MS_PER_SECOND) * this.#perSecond;
    this.#left = Math.min(this.#perSecond * BURST_SECONDS, this.#left + gained);
  }

  spend(amount: number): void {
    this.#left -= amount;
  }
}

/** How fast; the defaults are those of a plugin's own lines. */
export interface LogRateOptions {
  readonly linesPerSecond?: number;
  readonly bytesPerSecond?: number;
  /** Counts milliseconds and never goes back. */
  readonly clock?: () => number;
}

/** The rate of one plugin. */
export class LogRate {
  readonly #lines: Allowance;
  readonly #bytes: Allowance;
  readonly #clock: () => number;
  #lastMs: number;
  #missedLines = 0;

  constructor(options: LogRateOptions = {}) {
    const { linesPerSecond = FIXED_LIMITS.logLinesPerSecond, bytesPerSecond = FIXED_LIMITS.logBytesPerSecond } =
      options;
    const { clock = () => performance.now() } = options;
    this.#lines = new Allowance(linesPerSecond);
    this.#bytes = new Allowance(bytesPerSecond);
    this.#clock = clock;
    this.#lastMs = clock();
  }

  /** May a line of so many bytes be written now? If not, it is counted as missed. */
  take(bytes: number): boolean {
    const nowMs = this.#clock();
    this.#lines.fill(nowMs - this.#lastMs);
    this.#bytes.fill(nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    if (this.#lines.left < 1 || this.#bytes.left <= 0) {
      this.#missedLines += 1;
      return false;
    }
    this.#lines.spend(1);
    this.#bytes.spend(bytes);
    return true;
  }

  /** How many lines were missed since it was asked last. */
  takeMissed(): number {
    const missed = this.#missedLines;
    this.#missedLines = 0;
    return missed;
  }
}
