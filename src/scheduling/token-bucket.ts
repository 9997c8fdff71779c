/**
 * A token bucket: allows use at a steady rate, with bursts. It fills at that rate up to its capacity, and a user takes tokens
 * out. Over any time, no more is taken than the capacity plus what that time added, except for debt: a user that checks the
 * level before taking may once take more than there is, and must then wait until the debt is repaid. A bucket may bound the
 * debt.
 *
 * @module
 */

/** How a bucket is made. */
export interface TokenBucketOptions {
  /** The most tokens that it holds, and its initial level. */
  readonly capacity: number;
  /** Tokens added per millisecond. */
  readonly perMs: number;
  /** The largest debt; anything beyond it is forgiven. */
  readonly maxOwed?: number;
}

export class TokenBucket {
  readonly #capacity: number;
  readonly #perMs: number;
  readonly #maxOwed: number;
  #level: number;
  /** When the level was computed. Irrelevant for a full bucket. */
  #filledMs = Number.NEGATIVE_INFINITY;

  /** A full bucket. */
  constructor({ capacity, perMs, maxOwed = Number.POSITIVE_INFINITY }: TokenBucketOptions) {
    this.#capacity = capacity;
    this.#perMs = perMs;
    this.#maxOwed = maxOwed;
    this.#level = capacity;
  }

  /** Tokens at the last {@link fill}, minus those taken since. A negative level is a debt. */
  get level(): number {
    return this.#level;
  }

  /** Adds the tokens due by now, by a clock that never goes back. Returns the level. */
  fill(nowMs: number): number {
    const level = Math.min(this.#capacity, this.#level + (nowMs - this.#filledMs) * this.#perMs);
    this.#level = level;
    this.#filledMs = nowMs;
    return level;
  }

  /** Takes tokens out, even if there are fewer; a negative number puts them back. Returns the level. */
  take(tokens: number): number {
    const level = Math.min(this.#capacity, Math.max(-this.#maxOwed, this.#level - tokens));
    this.#level = level;
    return level;
  }

  /** Cancels the debt. */
  forgive(): void {
    this.#level = Math.max(0, this.#level);
  }

  /** How long it takes to reach this level, from the last {@link fill} on; 0 if it is reached. */
  msUntil(tokens: number): number {
    return Math.max(0, (tokens - this.#level) / this.#perMs);
  }
}
