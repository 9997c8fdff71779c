/**
 * Answers that are owed, in the order of their questions, and when the first of them is due. Each question and each
 * answer costs the same however many there are: a plugin with impatient callers may owe thousands.
 *
 * @module
 */

/** An answer that is owed. */
export interface OwedAnswer {
  readonly nonce: number;
  /** As `performance.now()` counts; to change it, see {@link OwedAnswers.prolong}. */
  dueMs: number;
  /** It was given its time once more. */
  isProlonged: boolean;
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

  /** When the next one is due; `Infinity` if there is none. */
  get earliestMs(): number {
    return this.#minima.first?.dueMs ?? Number.POSITIVE_INFINITY;
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

/** A queue on an array: what was taken from its front is given back to the heap by and by. */
class Fifo<Item> {
  #items: Item[] = [];
  #taken = 0;

  get first(): Item | undefined {
    return this.#items[this.#taken];
  }

  get last(): Item | undefined {
    return this.#items.length > this.#taken ? this.#items.at(-1) : undefined;
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  pop(): void {
    if (this.#items.length > this.#taken) this.#items.pop();
  }

  shift(): Item | undefined {
    const item = this.#items[this.#taken];
    if (item === undefined) return undefined;
    this.#taken += 1;
    // Half of it or more is gone: the other half is moved once for as many that were taken.
    if (this.#taken * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#taken);
      this.#taken = 0;
    }
    return item;
  }

  clear(): void {
    this.#items = [];
    this.#taken = 0;
  }

  *[Symbol.iterator](): Iterator<Item> {
    for (let at = this.#taken; at < this.#items.length; at += 1) yield this.#items[at] as Item;
  }
}
