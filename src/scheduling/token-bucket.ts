/**
 * A token bucket: what may be used at a steady rate, with a burst. It fills up at that rate to its capacity; who uses
 * something takes as many tokens out. Over any time no more is taken than the capacity and what that time brought, but
 * for what is owed: one that looks at the level before it takes may take more than there is, once, and has then to make
 * up for it. What is owed is bounded where the bucket says so.
 *
 * @module
 */

/** How a bucket is made. */
export interface TokenBucketOptions {
  /** It holds so many tokens at most, and at first. */
  readonly capacity: number;
  /** So many come to it in a millisecond. */
  readonly perMs: number;
  /** So many are owed at most; what is taken beyond that is forgiven. */
  readonly maxOwed?: number;
}

export class TokenBucket {
  readonly #capacity: number;
  readonly #perMs: number;
  readonly #maxOwed: number;
  #level: number;
  /** When the level was right. A full bucket does not care. */
  #filledMs = Number.NEGATIVE_INFINITY;

  /** A full bucket. */
  constructor({ capacity, perMs, maxOwed = Number.POSITIVE_INFINITY }: TokenBucketOptions) {
    this.#capacity = capacity;
    this.#perMs = perMs;
    this.#maxOwed = maxOwed;
    this.#level = capacity;
  }

  /** Tokens as they were at the last {@link fill}, without what was taken since. Below 0: so many are owed. */
  get level(): number {
    return this.#level;
  }

  /** Adds what has come up to now, by a clock that never goes back. The result is the level. */
  fill(nowMs: number): number {
    const level = Math.min(this.#capacity, this.#level + (nowMs - this.#filledMs) * this.#perMs);
    this.#level = level;
    this.#filledMs = nowMs;
    return level;
  }

  /** Takes so many out, also where there are fewer; a negative number puts them back. The result is the level. */
  take(tokens: number): number {
    const level = Math.min(this.#capacity, Math.max(-this.#maxOwed, this.#level - tokens));
    this.#level = level;
    return level;
  }

  /** Forgets what is owed. */
  forgive(): void {
    this.#level = Math.max(0, this.#level);
  }

  /** How long it takes until there are so many, from the last {@link fill} on; 0 where there are. */
  msUntil(tokens: number): number {
    return Math.max(0, (tokens - this.#level) / this.#perMs);
  }
}
