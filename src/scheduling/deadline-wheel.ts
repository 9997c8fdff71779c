/**
 * Deadlines in a timing wheel. Adding and cancelling one take constant time, which matters because nearly all are
 * cancelled. A deadline is due at the first whole millisecond after its time, never before. Pure: the clock is passed
 * in.
 *
 * Varghese and Lauck, "Hashed and Hierarchical Timing Wheels" (1987), scheme 6: one slot for each millisecond of a
 * revolution; a deadline further ahead stays in its slot for several revolutions.
 *
 * @module
 */

import { Link, Ring } from "./ring.ts";

/** One slot for each millisecond; 32 words of 32 bits record which slots are in use. */
const SLOTS = 1_024;
const WORD_BITS = 32;
const WORDS = SLOTS / WORD_BITS;

/** Something that happens at a time, unless it is cancelled. */
export class Deadline extends Link {
  /** In whole milliseconds. */
  readonly atMs: number;
  /** Must not throw. */
  readonly expired: () => void;

  constructor(atMs: number, expired: () => void) {
    super();
    this.atMs = atMs;
    this.expired = expired;
  }
}

export class DeadlineWheel {
  readonly #slots = Array.from({ length: SLOTS }, () => new Ring<Deadline>());
  readonly #used = new Uint32Array(WORDS);
  /** Deadlines taken out of their slots, but not yet out of the wheel. */
  readonly #due = new Ring<Deadline>();
  /** All slots up to this time have been examined. */
  #lookedMs: number;
  #size = 0;

  /** All times are those of one clock that never goes back. */
  constructor(nowMs: number) {
    this.#lookedMs = Math.floor(nowMs);
  }

  /** How many deadlines there are. */
  get size(): number {
    return this.#size;
  }

  /** Adds a deadline. If its time is over already, it is due in the next millisecond. */
  add(dueMs: number, expired: () => void): Deadline {
    const deadline = new Deadline(Math.max(this.#lookedMs + 1, Math.ceil(dueMs)), expired);
    const slot = deadline.atMs % SLOTS;
    this.#slotAt(slot).push(deadline);
    this.#mark(slot);
    this.#size += 1;
    return deadline;
  }

  /** Cancels a deadline. Does nothing if it has been taken out. */
  cancel(deadline: Deadline): void {
    if (!deadline.isLinked) return;
    deadline.unlink();
    this.#size -= 1;
    this.#unmarkEmpty(deadline.atMs % SLOTS);
  }

  /**
   * Takes out a deadline that is due. The earliest comes first, as long as this is called at least once in a
   * revolution.
   */
  takeDue(nowMs: number): Deadline | undefined {
    if (this.#due.isEmpty) this.#collect(Math.floor(nowMs));
    const deadline = this.#due.shift();
    if (deadline !== undefined) this.#size -= 1;
    return deadline;
  }

  /** When to call {@link takeDue} next: at the earliest deadline, or sooner. `Infinity` if there is none. */
  get nextMs(): number {
    if (!this.#due.isEmpty) return this.#lookedMs;
    const fromMs = this.#lookedMs + 1;
    const aheadMs = this.#usedFrom(fromMs % SLOTS);
    return aheadMs === undefined ? Number.POSITIVE_INFINITY : fromMs + aheadMs;
  }

  /** Advances to the first slot with a due deadline, or to now. */
  #collect(nowMs: number): void {
    const lastMs = Math.min(nowMs, this.#lookedMs + SLOTS);
    while (this.#due.isEmpty && this.#lookedMs < lastMs) {
      const atMs = this.nextMs;
      this.#lookedMs = Math.min(atMs, lastMs);
      if (atMs <= lastMs) this.#takeSlot(atMs % SLOTS, nowMs);
    }
    if (this.#due.isEmpty) this.#lookedMs = Math.max(this.#lookedMs, nowMs);
  }

  #takeSlot(slot: number, nowMs: number): void {
    const ring = this.#slotAt(slot);
    for (let deadline = ring.first; deadline !== undefined;) {
      const next = ring.after(deadline);
      if (deadline.atMs <= nowMs) this.#due.push(deadline);
      deadline = next;
    }
    this.#unmarkEmpty(slot);
  }

  #slotAt(slot: number): Ring<Deadline> {
    return this.#slots[slot] as Ring<Deadline>;
  }

  #mark(slot: number): void {
    const word = Math.floor(slot / WORD_BITS);
    this.#used[word] = (this.#used[word] as number) | (1 << (slot % WORD_BITS));
  }

  #unmarkEmpty(slot: number): void {
    if (!this.#slotAt(slot).isEmpty) return;
    const word = Math.floor(slot / WORD_BITS);
    this.#used[word] = (this.#used[word] as number) & ~(1 << (slot % WORD_BITS));
  }

  /** The distance from a slot to the next one in use; `undefined` if none is. */
  #usedFrom(slot: number): number | undefined {
    const first = Math.floor(slot / WORD_BITS);
    // Visits the first word again at the end, for its slots before this one.
    for (let step = 0; step <= WORDS; step += 1) {
      const word = (first + step) % WORDS;
      const before = slot % WORD_BITS;
      const bits = (this.#used[word] as number) & (step === 0 ? -1 << before : -1);
      if (bits === 0) continue;
      const lowest = 31 - Math.clz32(bits & -bits);
      return (word * WORD_BITS + lowest - slot + SLOTS) % SLOTS;
    }
    return undefined;
  }
}
