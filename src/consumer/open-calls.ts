/**
 * The calls of a replica that are not answered yet, in the order in which they must be: one timer for all of them, since
 * nearly all are answered before their time and setting up a timer for each costs more than the rest of a call's start.
 *
 * A binary heap in which each call knows its place, so that one which is answered leaves at once. See Knuth, The Art of
 * Computer Programming, volume 3, 5.2.3.
 *
 * @module
 */

/** A call as it is kept here. */
export interface OpenCall {
  /** When it must be answered, as `performance.now()` counts. {@link OpenCalls} makes it `Infinity` once it has said so. */
  dueMs: number;
  /** Where it stands; for {@link OpenCalls} alone. */
  place: number;
  /** Its time is over. Called once at most, not before that time and by a timer. */
  overdue(): void;
}

export class OpenCalls<Call extends OpenCall = OpenCall> {
  readonly #heap: Call[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires: at the time of the first call or earlier. */
  #armedMs = Number.POSITIVE_INFINITY;
  #idle: PromiseWithResolvers<void> | undefined;

  get size(): number {
    return this.#heap.length;
  }

  /** The calls as they are now, in no order that means anything. */
  all(): readonly Call[] {
    return [...this.#heap];
  }

  add(call: Call): void {
    this.#heap.push(call);
    this.#rise(call, this.#heap.length - 1);
    if (call.dueMs < this.#armedMs) this.#arm(performance.now());
  }

  /** Takes a call out that was added. */
  remove(call: Call): void {
    const last = this.#heap.pop();
    if (last !== undefined && last !== call) this.#settle(last, call.place);
    if (this.#heap.length === 0) this.#noteIdle();
  }

  /** Resolves when there is none. */
  async idle(): Promise<void> {
    if (this.#heap.length === 0) return;
    this.#idle ??= Promise.withResolvers<void>();
    await this.#idle.promise;
  }

  #noteIdle(): void {
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  /** Sets the timer to the first call. Whoever waits for a call keeps the process running; this does not. */
  #arm(nowMs: number): void {
    clearTimeout(this.#timer);
    this.#armedMs = this.#heap[0]?.dueMs ?? Number.POSITIVE_INFINITY;
    if (this.#armedMs === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.#tell(), Math.max(0, Math.ceil(this.#armedMs - nowMs))).unref();
  }

  /** Tells all whose time is over. They stay until they are answered, behind all others. */
  #tell(): void {
    const nowMs = performance.now();
    for (let first = this.#heap[0]; first !== undefined && first.dueMs <= nowMs; first = this.#heap[0]) {
      first.dueMs = Number.POSITIVE_INFINITY;
      this.#sink(first, 0);
      first.overdue();
    }
    this.#arm(nowMs);
  }

  /** Puts a call where another one was, or where its time belongs from there. */
  #settle(call: Call, place: number): void {
    const parent = this.#heap[(place - 1) >> 1];
    if (place > 0 && parent !== undefined && call.dueMs < parent.dueMs) this.#rise(call, place);
    else this.#sink(call, place);
  }

  #rise(call: Call, from: number): void {
    const heap = this.#heap;
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = heap[above] as Call;
      if (parent.dueMs <= call.dueMs) break;
      this.#put(parent, place);
      place = above;
    }
    this.#put(call, place);
  }

  #sink(call: Call, from: number): void {
    const heap = this.#heap;
    let place = from;
    for (let below = 2 * place + 1; below < heap.length; below = 2 * place + 1) {
      const left = heap[below] as Call;
      const right = heap[below + 1] ?? left;
      const child = right.dueMs < left.dueMs ? right : left;
      if (call.dueMs <= child.dueMs) break;
      const at = child.place;
      this.#put(child, place);
      place = at;
    }
    this.#put(call, place);
  }

  #put(call: Call, place: number): void {
    this.#heap[place] = call;
    call.place = place;
  }
}
