/**
 * Answers that are owed, in the order of their questions, and when the first of them is due. Each question and each
 * answer costs the same however many there are: a plugin with impatient callers may owe thousands.
 *
 * @module
 */

import { Fifo } from "../../scheduling/fifo.ts";

/** An answer that is owed. */
export interface OwedAnswer {
  readonly nonce: number;
  /** When the question was asked. */
  readonly askedMs: number;
  /** As `performance.now()` counts; to change it, see {@link OwedAnswers.prolong}. */
  dueMs: number;
  /** It was given its time once more. */
  isProlonged: boolean;
  /** Set once its time counts: what its runner had had of a processor by then, where that is told. */
  ran: { readonly atMs: number | undefined } | undefined;
  readonly answered: () => void;
}

export class OwedAnswers {
  readonly #all = new Fifo<OwedAnswer>();
  /** Those with none behind them that is due earlier, so their times go up and the first one's is the earliest of all. */
  #minima = new Fifo<OwedAnswer>();

  get isEmpty(): boolean {
    return this.#all.first === undefined;
  }

  /** What must be answered next. */
  get first(): OwedAnswer | undefined {
    return this.#all.first;
  }

  /** What is due next. */
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

  /** Lets `dueMsOf` give each another time, or the same. Costs as much as there are. */
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
