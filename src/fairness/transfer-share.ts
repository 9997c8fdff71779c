/**
 * Fairness of the store: bounds what a plugin moves to and from it while light plugins are active. A large value keeps
 * the drivers, the store and its disk busy for milliseconds, and everything behind it waits.
 *
 * After a plugin has moved more than its share, its next operations wait until the debt is repaid. Results of
 * operations and all other messages do not wait. While no light plugin is active, nothing waits.
 *
 * @module
 */

import { MIB } from "../contract/limit-row.ts";
import { Fifo } from "../scheduling/fifo.ts";
import { TokenBucket } from "../scheduling/token-bucket.ts";

/** How many bytes a plugin may move at once. */
const MAX_SAVED_BYTES = 2 * MIB;

/** The largest debt, so that many large values read at once do not block the plugin for long. */
const MAX_OWED_BYTES = 16 * MIB;

export interface TransferShareOptions {
  readonly bytesPerMs: number;
  /** Is another, light plugin active? */
  readonly isShared: () => boolean;
  /** The plugin has moved more than its share. {@link TransferShare.isOwed} says when that is over. */
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

  /** Charges moved bytes; a negative number gives back what was charged too much. */
  spend(bytes: number): void {
    if (bytes > 0) this.#saved.fill(performance.now());
    if (this.#saved.take(bytes) <= 0) this.#surroundings.owed();
  }

  /**
   * Begins an operation, after those that wait.
   *
   * @param bytesOf how many bytes it will move, as known or estimated when it begins; charged then
   * @returns `undefined` where it may begin at once, else a promise that resolves when it may
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
    // No light plugin had to wait for these bytes, so the debt is forgiven.
    this.#saved.forgive();
    return true;
  }

  #rest(): void {
    if (this.#timer !== undefined) return;
    const restMs = Math.ceil(Math.max(1, this.#saved.msUntil(0)));
    // The timer need not keep the process alive: the call that waits does.
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
