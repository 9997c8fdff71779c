/**
 * A queue, first in, first out, at a cost that does not depend on how much waits: a ring buffer that grows and shrinks.
 *
 * @module
 */

/** Powers of two: what it begins with, and what it keeps however little waits, so that bursts find it large enough. */
const FIRST_CAPACITY = 8;
const KEPT_CAPACITY = 512;

/** Items must not be `undefined`. */
export class Fifo<Item> {
  #slots: (Item | undefined)[] = [];
  /** Where the first one stands. */
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  get first(): Item | undefined {
    return this.#slots[this.#head];
  }

  get last(): Item | undefined {
    return this.#size === 0 ? undefined : this.#slots[this.#slotOf(this.#size - 1)];
  }

  /** Adds one at the end. */
  push(item: Item): void {
    if (this.#size === this.#slots.length) this.#resize(Math.max(FIRST_CAPACITY, this.#size * 2));
    this.#slots[this.#slotOf(this.#size)] = item;
    this.#size += 1;
  }

  /** Takes the first one out. */
  shift(): Item | undefined {
    const item = this.#slots[this.#head];
    if (item === undefined) return undefined;
    this.#slots[this.#head] = undefined;
    this.#head = this.#slotOf(1);
    this.#size -= 1;
    this.#shrink();
    return item;
  }

  /** Takes the last one out. */
  pop(): Item | undefined {
    const item = this.last;
    if (item === undefined) return undefined;
    this.#size -= 1;
    this.#slots[this.#slotOf(this.#size)] = undefined;
    this.#shrink();
    return item;
  }

  /** Takes all out that are not to stay. Costs as much as there are. */
  keep(stays: (item: Item) => boolean): void {
    const kept = [...this].filter(stays);
    if (kept.length === this.#size) return;
    this.clear();
    for (const item of kept) this.push(item);
  }

  clear(): void {
    this.#slots = [];
    this.#head = 0;
    this.#size = 0;
  }

  *[Symbol.iterator](): Iterator<Item> {
    for (let at = 0; at < this.#size; at += 1) yield this.#slots[this.#slotOf(at)] as Item;
  }

  #slotOf(place: number): number {
    return (this.#head + place) & (this.#slots.length - 1);
  }

  /** What was taken is given back to the heap in steps. */
  #shrink(): void {
    const capacity = this.#slots.length;
    if (capacity > KEPT_CAPACITY && this.#size * 4 <= capacity) this.#resize(capacity / 2);
  }

  #resize(capacity: number): void {
    const slots: (Item | undefined)[] = [];
    for (let place = 0; place < this.#size; place += 1) slots.push(this.#slots[this.#slotOf(place)]);
    while (slots.length < capacity) slots.push(undefined);
    this.#slots = slots;
    this.#head = 0;
  }
}
