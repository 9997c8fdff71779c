/**
 * Decides whether a history of one register is linearizable: whether every operation can be given a moment
 * between its start and its end such that each read has the value of the last write before it.
 *
 * The search is Wing and Gong's (J. M. Wing, C. Gong, "Testing and verifying concurrent objects", 1993), which
 * puts one operation after the other into an order, with two short cuts: a state that was met before is not
 * searched again (G. Lowe, "Testing for linearizability", 2017), and a read of the current value is taken as
 * soon as it may be, since it changes nothing. In the worst case it takes exponential time in the number of
 * operations that run at the same time.
 *
 * @module
 */

/** What one operation was seen to do. */
export interface RegisterEvent {
  readonly kind: "read" | "write";
  /** What was written or found. `undefined` is what a register holds before its first write. */
  readonly value: string | undefined;
  /** When it was called, on a clock that all events share. */
  readonly start: number;
  /** When its result was there; `Infinity` if there is none: a write may then have happened at any time or never. */
  readonly end: number;
}

/** Is there an order of the events that explains what each of them found? */
export function isLinearizable(history: readonly RegisterEvent[]): boolean {
  return new Search(history).succeedsFrom(undefined);
}

class Search {
  /** By their start. */
  readonly #events: readonly RegisterEvent[];
  readonly #placed: boolean[];
  readonly #failedStates = new Set<string>();
  /** Events that have ended and are not placed. */
  #required: number;
  /** Index of the first event that is not placed. */
  #first = 0;

  constructor(history: readonly RegisterEvent[]) {
    const found = new Set(history.filter(({ kind }) => kind === "read").map(({ value }) => value));
    // A read without a result says nothing, and neither does a write that may never have happened if nobody saw it.
    const isTelling = ({ kind, value, end }: RegisterEvent): boolean =>
      end !== Infinity || (kind === "write" && found.has(value));
    this.#events = history.filter(isTelling).toSorted((one, other) => one.start - other.start);
    this.#placed = this.#events.map(() => false);
    this.#required = this.#events.filter(({ end }) => end !== Infinity).length;
  }

  /** Can what is not placed yet follow, now that the register holds `value`? */
  succeedsFrom(value: string | undefined): boolean {
    const reads = this.#placeReads(value);
    const outcome = this.#required === 0 || this.#placeWrites(value);
    if (!outcome) for (const index of reads) this.#take(index);
    return outcome;
  }

  #placeReads(value: string | undefined): readonly number[] {
    const placed: number[] = [];
    for (;;) {
      const next = this.#candidates().find((index) => this.#isRead(index, value));
      if (next === undefined) return placed;
      this.#place(next);
      placed.push(next);
    }
  }

  #placeWrites(value: string | undefined): boolean {
    const state = this.#describe(value);
    if (this.#failedStates.has(state)) return false;
    for (const index of this.#candidates()) {
      const event = this.#events[index] as RegisterEvent;
      if (event.kind === "read") continue;
      this.#place(index);
      if (this.succeedsFrom(event.value)) return true;
      this.#take(index);
    }
    this.#failedStates.add(state);
    return false;
  }

  /** The register's value and what is placed, which is all before some index and a few behind it. */
  #describe(value: string | undefined): string {
    const last = this.#placed.lastIndexOf(true);
    const mixed = this.#placed.slice(this.#first, last + 1).map(Number);
    return `${value === undefined ? "" : `=${value}`} ${this.#first} ${mixed.join("")}`;
  }

  /** Events that may come next: those that no other one's end precedes. The most pressing one first. */
  #candidates(): readonly number[] {
    const open: number[] = [];
    let horizon = Infinity;
    for (let index = this.#first; index < this.#events.length; index++) {
      const { start, end } = this.#events[index] as RegisterEvent;
      // Events are in the order of their starts, and none ends before its own.
      if (start > horizon) break;
      if (this.#placed[index] === true) continue;
      open.push(index);
      horizon = Math.min(horizon, end);
    }
    const endOf = (index: number): number => this.#events[index]?.end ?? Infinity;
    return open.filter((index) => (this.#events[index]?.start ?? 0) <= horizon).sort((a, b) => endOf(a) - endOf(b));
  }

  #isRead(index: number, value: string | undefined): boolean {
    const event = this.#events[index];
    return event?.kind === "read" && event.value === value;
  }

  #place(index: number): void {
    this.#placed[index] = true;
    while (this.#placed[this.#first] === true) this.#first += 1;
    if (this.#events[index]?.end !== Infinity) this.#required -= 1;
  }

  #take(index: number): void {
    this.#placed[index] = false;
    this.#first = Math.min(this.#first, index);
    if (this.#events[index]?.end !== Infinity) this.#required += 1;
  }
}
