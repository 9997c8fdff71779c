/**
 * A first-in, first-out queue whose operations do not get slower with its length: a ring buffer that grows and shrinks.
 *
 * @module
 */

/**
 * Powers of two: the first capacity, and the one that it keeps even when nearly empty, so that a burst need not grow
 * it.
 */
const FIRST_CAPACITY = 8;
const KEPT_CAPACITY = 512;

/** Items must not be `undefined`. */
export class Fifo<Item> {
  #slots: (Item | undefined)[] = [];
  /** The slot of the first item. */
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

  /** Adds an item at the end. */
  push(item: Item): void {
    if (this.#size === this.#slots.length) this.#resize(Math.max(FIRST_CAPACITY, this.#size * 2));
    this.#slots[this.#slotOf(this.#size)] = item;
    this.#size += 1;
  }

  /** Removes and returns the first item. */
  shift(): Item | undefined {
    const item = this.#slots[this.#head];
    if (item === undefined) return undefined;
    this.#slots[this.#head] = undefined;
    this.#head = this.#slotOf(1);
    this.#size -= 1;
    this.#shrink();
    return item;
  }

  /** Removes and returns the last item. */
  pop(): Item | undefined {
    const item = this.last;
    if (item === undefined) return undefined;
    this.#size -= 1;
    this.#slots[this.#slotOf(this.#size)] = undefined;
    this.#shrink();
    return item;
  }

  /** Removes the items for which `stays` is false. Takes linear time. */
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

  /** Halves a capacity above the kept one when at most a quarter of it is used. */
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
