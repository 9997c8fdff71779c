/**
 * The answers to pings that a runner still owes, in the order of the pings, and which of them is due first. Adding and
 * taking one cost the same however many there are: a runner whose callers are impatient may owe thousands.
 *
 * @module
 */

import { Fifo } from "../../scheduling/fifo.ts";

/** An answer that a runner owes. */
export interface OwedAnswer {
  readonly nonce: number;
  /** When the ping was sent. */
  readonly askedMs: number;
  /** On the clock of `performance.now()`. Only {@link OwedAnswers.prolong} changes it. */
  dueMs: number;
  /** Its time was extended once. */
  isProlonged: boolean;
  /** Set once its time counts: the runner's time on a processor at that moment, where this machine reports it. */
  ran: { readonly atMs: number | undefined } | undefined;
  readonly answered: () => void;
}

export class OwedAnswers {
  readonly #all = new Fifo<OwedAnswer>();
  /** Those that no later one precedes in due time. Their times ascend, so the first is the earliest of all. */
  #minima = new Fifo<OwedAnswer>();

  get isEmpty(): boolean {
    return this.#all.first === undefined;
  }

  /** The answer that must come next. */
  get first(): OwedAnswer | undefined {
    return this.#all.first;
  }

  /** The answer that is due first. */
  get earliest(): OwedAnswer | undefined {
    return this.#minima.first;
  }

  add(owed: OwedAnswer): void {
    this.#all.push(owed);
    this.#addMinimum(owed);
  }

  /** Takes the first one out. */
  take(): OwedAnswer | undefined {
    const taken = this.#all.shift();
    if (taken !== undefined && this.#minima.first === taken) this.#minima.shift();
    return taken;
  }

  /** Sets each one's due time to what `dueMsOf` returns. Takes linear time. */
  prolong(dueMsOf: (owed: OwedAnswer) => number): void {
    this.#minima = new Fifo();
    for (const owed of this.#all) {
      owed.dueMs = dueMsOf(owed);
      this.#addMinimum(owed);
    }
  }

  clear(): void {
    this.#all.clear();
    this.#minima.clear();
  }

  #addMinimum(owed: OwedAnswer): void {
    while ((this.#minima.last?.dueMs ?? Number.NEGATIVE_INFINITY) >= owed.dueMs) this.#minima.pop();
    this.#minima.push(owed);
  }
}
