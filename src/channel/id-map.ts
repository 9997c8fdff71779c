/**
 * A map for what is in flight, by number: made for numbers that ascend and soon go again, tens of thousands a second.
 *
 * Not a `Map`: each table that V8's `Map` has outgrown keeps a reference to the next. Where entries come and go, V8 makes a
 * new table every few hundred entries. Once the garbage collector has promoted an old table to the old generation, that
 * table keeps its successors alive, and all that they hold, until the next full collection. Full collections then come
 * every few seconds (docs/performance.md, "Old tables of a map").
 *
 * Open addressing with linear probing; numbers in sequence do not collide. See Knuth, The Art of Computer Programming,
 * volume 3, 6.4, algorithms L and R.
 *
 * @module
 */

/** The number of slots at first: a power of two. */
const FIRST_CAPACITY = 64;

/** A map from unsigned 32-bit numbers. Values must not be `undefined`. */
export class IdMap<Value> {
  #ids = new Uint32Array(FIRST_CAPACITY);
  #values: (Value | undefined)[] = emptySlots(FIRST_CAPACITY);
  #size = 0;
  #lastId = 0;

  get size(): number {
    return this.#size;
  }

  /** The next number that is not in use, for the side that assigns numbers. They wrap after four billion. */
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

  /** Removes an entry and returns its value. */
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

  /** A copy of the entries, in no particular order. */
  entries(): (readonly [id: number, value: Value])[] {
    return this.#values.flatMap((value, slot) => (value === undefined ? [] : [[this.#ids[slot] as number, value]]));
  }

  /** The slot that holds this number, or the empty slot where it belongs. */
  #find(id: number): number {
    const mask = this.#values.length - 1;
    let slot = id & mask;
    while (this.#values[slot] !== undefined && this.#ids[slot] !== id) slot = (slot + 1) & mask;
    return slot;
  }

  /** Moves the entries that a search would no longer reach past the emptied slot. */
  #closeGap(gap: number): void {
    const mask = this.#values.length - 1;
    let empty = gap;
    for (let slot = (gap + 1) & mask; this.#values[slot] !== undefined; slot = (slot + 1) & mask) {
      const home = (this.#ids[slot] as number) & mask;
      // Is its home behind the gap, on the way to its slot? Then a search finds it without a move.
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
