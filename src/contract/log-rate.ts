/**
 * Limits how much all requests of one plugin may log together per second. Each request has its own limit, but hundreds at a time
 * would still fill the log and occupy the thread that writes it, at the cost of all other plugins.
 *
 * The rate is enforced twice: in each process of the plugin, where an excess line costs almost nothing, and in the host, which
 * does not trust the processes and counts them together. Pure.
 *
 * @module
 */

import { TokenBucket } from "../scheduling/token-bucket.ts";
import { FIXED_LIMITS } from "./limits.ts";
import { MS_PER_SECOND } from "./time-units.ts";

/** The burst that may be used at once, in seconds of the rate. */
const BURST_SECONDS = 2;

/**
 * The host's for what a process has counted: lines that it lets pass in the course of a second more than its burst may
 * arrive together, where the host was busy. A process that keeps to its rate loses nothing to the host's.
 */
export const RECOUNT_BURST_SECONDS: number = BURST_SECONDS + 1;

/** What did not pass of one call's log and output, as its process counts it. */
export interface DroppedLog {
  /** Beyond the limit of the call. */
  readonly lines: number;
  readonly bytes: number;
  /** Beyond the rate of the plugin, in this call. */
  readonly missedBytes: number;
  /** Beyond the rate of the plugin, in all calls of the process since it told last. */
  readonly missedLines: number;
}

/** How fast; the defaults are those of a plugin's own lines. */
export interface LogRateOptions {
  readonly linesPerSecond?: number;
  readonly bytesPerSecond?: number;
  readonly burstSeconds?: number;
  /** Counts milliseconds and never goes back. */
  readonly clock?: () => number;
}

/** The rate of one plugin. */
export class LogRate {
  readonly #lines: TokenBucket;
  /** A line that is longer than all there is passes once, and is owed. */
  readonly #bytes: TokenBucket;
  readonly #clock: () => number;
  #lastMs: number;
  #missedLines = 0;
  #toldMs = -Infinity;

  constructor(options: LogRateOptions = {}) {
    const { linesPerSecond = FIXED_LIMITS.logLinesPerSecond, bytesPerSecond = FIXED_LIMITS.logBytesPerSecond } =
      options;
    const { burstSeconds = BURST_SECONDS, clock = () => performance.now() } = options;
    this.#lines = bucketOf(linesPerSecond, burstSeconds);
    this.#bytes = bucketOf(bytesPerSecond, burstSeconds);
    this.#clock = clock;
    this.#lastMs = clock();
  }

  /** May a line of so many bytes be written now? If not, it is counted as missed. */
  take(bytes: number): boolean {
    const nowMs = this.#clock();
    this.#lastMs = nowMs;
    if (this.#lines.fill(nowMs) < 1 || this.#bytes.fill(nowMs) <= 0) {
      this.#missedLines += 1;
      return false;
    }
    this.#lines.take(1);
    this.#bytes.take(bytes);
    return true;
  }

  /** A line that was let pass has become longer by so many bytes. */
  lengthen(bytes: number): void {
    this.#bytes.take(bytes);
  }

  /** Are there lines that were missed since this told last? */
  get hasMissed(): boolean {
    return this.#missedLines > 0;
  }

  /** So many lines were missed elsewhere. */
  addMissed(lines: number): void {
    this.#missedLines += lines;
  }

  /** How many lines were missed since this told last; 0 where that is less than `everyMs` ago. */
  takeMissed(everyMs = 0): number {
    if (this.#missedLines === 0 || this.#lastMs - this.#toldMs < everyMs) return 0;
    const missed = this.#missedLines;
    this.#missedLines = 0;
    this.#toldMs = this.#lastMs;
    return missed;
  }
}

function bucketOf(perSecond: number, burstSeconds: number): TokenBucket {
  return new TokenBucket({ capacity: perSecond * burstSeconds, perMs: perSecond / MS_PER_SECOND });
}
