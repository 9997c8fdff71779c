/**
 * Fairness of the store: what a plugin moves to and from it while light plugins are active beside it. A large value
 * keeps the drivers, the store and its disk busy for milliseconds, and everything behind it waits.
 *
 * A plugin that has moved more than its share has its next operations wait until it is made up for; their results, and
 * whatever else its process has to say, do not. While no light plugin is active nothing waits.
 *
 * @module
 */

import { MIB } from "../contract/limit-row.ts";
import { Fifo } from "../scheduling/fifo.ts";
import { TokenBucket } from "../scheduling/token-bucket.ts";

/** What a plugin may move at once. */
const MAX_SAVED_BYTES = 2 * MIB;

/** A little more than the largest value. What several brought that were read at once is not held against the plugin beyond that. */
const MAX_OWED_BYTES = 16 * MIB;

/** What the share needs to know of its surroundings. */
export interface TransferShareOptions {
  /** How fast it fills up. */
  readonly bytesPerMs: number;
  /** Is a light plugin active beside this one? */
  readonly isShared: () => boolean;
  /** The plugin has moved more than its share: {@link TransferShare.isOwed} tells how long that holds. */
  readonly owed: () => void;
}

/** An operation that waits. */
interface WaitingTransfer {
  readonly bytesOf: () => number;
  readonly begin: () => void;
}

/** The share of one plugin. */
export class TransferShare {
  readonly #surroundings: TransferShareOptions;
  readonly #saved: TokenBucket;
  readonly #waiting = new Fifo<WaitingTransfer>();
  #timer: NodeJS.Timeout | undefined;

  constructor(surroundings: TransferShareOptions) {
    const { bytesPerMs } = surroundings;
    this.#surroundings = surroundings;
    this.#saved = new TokenBucket({ capacity: MAX_SAVED_BYTES, perMs: bytesPerMs, maxOwed: MAX_OWED_BYTES });
  }

  /** Has the plugin moved more than its share? */
  get isOwed(): boolean {
    if (this.#saved.level <= 0) this.#saved.fill(performance.now());
    return this.#saved.level <= 0;
  }

  /** So many bytes are moved; a negative number, if it is fewer than was thought. */
  spend(bytes: number): void {
    if (bytes > 0) this.#saved.fill(performance.now());
    if (this.#saved.take(bytes) <= 0) this.#surroundings.owed();
  }

  /**
   * Begins an operation, behind those that wait.
   *
   * @param bytesOf what it will move, as it is known or thought at the moment when it begins: it is charged then
   * @returns nothing where it may begin at once, else what resolves when it may
   */
  begin(bytesOf: () => number): Promise<void> | undefined {
    if (this.#waiting.isEmpty && this.#mayBegin()) {
      this.spend(bytesOf());
      return undefined;
    }
    return new Promise((begin) => {
      this.#waiting.push({ bytesOf, begin });
      this.#rest();
    });
  }

  #mayBegin(): boolean {
    if (!this.isOwed) return true;
    if (this.#surroundings.isShared()) return false;
    // It delayed no one, so there is no debt.
    this.#saved.forgive();
    return true;
  }

  #rest(): void {
    if (this.#timer !== undefined) return;
    const restMs = Math.ceil(Math.max(1, this.#saved.msUntil(0)));
    // An operation that is waited for keeps the process running; this does not.
    this.#timer = setTimeout(() => this.#resume(), restMs).unref();
  }

  #resume(): void {
    this.#timer = undefined;
    while (!this.#waiting.isEmpty && this.#mayBegin()) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.spend(next.bytesOf());
      next.begin();
    }
    if (!this.#waiting.isEmpty) this.#rest();
  }
}
