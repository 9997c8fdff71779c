/**
 * A weighted semaphore: each holder takes as much of the capacity as it weighs, and others wait in order of arrival. A holder
 * that weighs more than the capacity gets in alone. No one overtakes a waiter, however little it weighs.
 *
 * Invariant: while someone waits, there is a holder, so that a release follows that lets the next ones in.
 *
 * @module
 */

import { Fifo } from "./fifo.ts";

export interface Waiter {
  readonly weight: number;
  /** Called once, when it is let in. Must not throw. */
  readonly admit: () => void;
}

export class WeightedSemaphore<Waiting extends Waiter = Waiter> {
  readonly #waiting = new Fifo<Waiting>();
  #capacity: number;
  #held = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The total weight of the holders. */
  get held(): number {
    return this.#held;
  }

  /** The number of waiters. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Lets the caller in now, or returns false. If it lets it in, {@link release} must follow. */
  tryAcquire(weight: number): boolean {
    if (!this.#waiting.isEmpty || !this.#hasRoomFor(weight)) return false;
    this.#held += weight;
    return true;
  }

  /** Lets the waiter in when it is its turn, perhaps now. {@link release} must follow then. */
  acquire(waiter: Waiting): void {
    this.#waiting.push(waiter);
    this.#admit();
  }

  /** A holder leaves. */
  release(weight: number): void {
    this.#held -= weight;
    this.#admit();
  }

  /** Holders stay, even if they exceed the new capacity. */
  resize(capacity: number): void {
    const isMore = capacity > this.#capacity;
    this.#capacity = capacity;
    if (isMore) this.#admit();
  }

  /**
   * Removes waiters that need not wait any more; they are never let in. Those after them are let in at the next
   * release, not now: they may be dismissed next.
   */
  dismiss(isDismissed: (waiter: Waiting) => boolean): void {
    if (!this.#waiting.isEmpty) this.#waiting.keep((waiter) => !isDismissed(waiter));
  }

  #admit(): void {
    let first = this.#waiting.first;
    while (first !== undefined && this.#hasRoomFor(first.weight)) {
      this.#waiting.shift();
      this.#held += first.weight;
      first.admit();
      first = this.#waiting.first;
    }
  }

  #hasRoomFor(weight: number): boolean {
    return this.#held === 0 || this.#held + weight <= this.#capacity;
  }
}
