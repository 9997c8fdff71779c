/**
 * What is in flight, by its number: the map for numbers that go up and are gone soon, with tens of thousands of them a
 * second.
 *
 * Not a `Map`: V8's leaves a reference to its next table in each one that it has outgrown. Where entries come and go there
 * is a new table every few hundred of them, and once an old one has become old to the garbage collector, it keeps its
 * successors and all that they hold until the next full collection, which then comes every few seconds
 * (docs/performance.md, "Old tables of a map").
 *
 * Open addressing with linear probing; numbers in sequence never meet. See Knuth, The Art of Computer Programming,
 * volume 3, 6.4, algorithms L and R.
 *
 * @module
 */

/** A power of two. */
const FIRST_CAPACITY = 64;

/** A map from numbers of 32 bits, without a sign. Values must not be `undefined`. */
export class IdMap<Value> {
  #ids = new Uint32Array(FIRST_CAPACITY);
  #values: (Value | undefined)[] = emptySlots(FIRST_CAPACITY);
  #size = 0;
  #lastId = 0;

  get size(): number {
    return this.#size;
  }

  /** The next number that is not in use; they wrap after four billion. For who hands them out. */
  newId(): number {
    do this.#lastId = (this.#lastId + 1) >>> 0;
    while (this.has(this.#lastId));
    return this.#lastId;
  }

  has(id: number): boolean {
    return this.get(id) !== undefined;
  }

  get(id: number): Value | undefined {
    return this.#values[this.#find(id)];
  }

  set(id: number, value: Value): void {
    // Half of the slots stay empty, so that a search ends soon.
    if (this.#size * 2 >= this.#values.length) this.#grow();
    const slot = this.#find(id);
    if (this.#values[slot] === undefined) this.#size += 1;
    this.#ids[slot] = id;
    this.#values[slot] = value;
  }

  /** Takes an entry out; the result is what it held. */
  delete(id: number): Value | undefined {
    const slot = this.#find(id);
    const value = this.#values[slot];
    if (value === undefined) return undefined;
    this.#size -= 1;
    this.#values[slot] = undefined;
    this.#closeGap(slot);
    return value;
  }

  clear(): void {
    this.#begin(FIRST_CAPACITY);
  }

  /** Numbers and values as they are now, in no order that means anything. */
  entries(): (readonly [id: number, value: Value])[] {
    return this.#values.flatMap((value, slot) => (value === undefined ? [] : [[this.#ids[slot] as number, value]]));
  }

  /** Where it is, or would be. */
  #find(id: number): number {
    const mask = this.#values.length - 1;
    let slot = id & mask;
    while (this.#values[slot] !== undefined && this.#ids[slot] !== id) slot = (slot + 1) & mask;
    return slot;
  }

  /** Moves those that stand behind an empty slot because something stood in it. */
  #closeGap(gap: number): void {
    const mask = this.#values.length - 1;
    let empty = gap;
    for (let slot = (gap + 1) & mask; this.#values[slot] !== undefined; slot = (slot + 1) & mask) {
      const home = (this.#ids[slot] as number) & mask;
      // Does its home lie beyond the gap, on the way to where it stands? Then it is found without a move.
      if (((slot - home) & mask) < ((slot - empty) & mask)) continue;
      this.#ids[empty] = this.#ids[slot] as number;
      this.#values[empty] = this.#values[slot];
      this.#values[slot] = undefined;
      empty = slot;
    }
  }

  #grow(): void {
    const entries = this.entries();
    this.#begin(this.#values.length * 2);
    for (const [id, value] of entries) this.set(id, value);
  }

  #begin(capacity: number): void {
    this.#ids = new Uint32Array(capacity);
    this.#values = emptySlots(capacity);
    this.#size = 0;
  }
}

function emptySlots<Value>(count: number): (Value | undefined)[] {
  return Array.from({ length: count }, () => undefined);
}
