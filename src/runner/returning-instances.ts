/**
 * Requests that wait, in their order, for an instance that is in use to come back. To make another one is work that few
 * requests are worth: an interpreter takes some 20 ms to make and half a millisecond to answer. And the more instances take
 * turns, the less of each is in the processor's caches.
 *
 * How long a request waits is the problem of whether to rent or to buy: until the thread was idle for as long as an instance
 * takes to make, so that waiting costs at most as much again as making would have (Karlin, Manasse, Rudolph and Sleator,
 * "Competitive Snoopy Caching", 1988). While the thread has work to do, another instance would not make it faster.
 *
 * @module
 */

import { performance } from "node:perf_hooks";
import { Fifo } from "../scheduling/fifo.ts";

/** An instance that takes less is made at once, in milliseconds: a timer is no more precise. */
const CHEAP_MS = 2;

/** The longest wait, in milliseconds. The first instances of a process are made by code that is hardly compiled. */
const MAX_PATIENCE_MS = 25;

/**
 * Whom an instance serves that would be made: `for-many` is kept, so that all idle time since the last one was made speaks for it;
 * `for-one` is dropped after its request.
 */
export type Worth = "for-many" | "for-one";

interface Waiter<Returned> {
  readonly worth: Worth;
  /** What the clock of idle time said when it became the first. */
  fromMs: number;
  readonly settle: (returned: Returned | undefined) => void;
}

export class ReturningInstances<Returned> {
  readonly #waiters = new Fifo<Waiter<Returned>>();
  readonly #idleMs: () => number;
  #patienceMs = 0;
  /** Idle time of the thread while requests waited, since an instance was made. */
  #idledMs = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `idleMs`: for how long this thread has had nothing to do, in milliseconds since any moment. */
  constructor(idleMs: () => number = () => performance.eventLoopUtilization().idle) {
    this.#idleMs = idleMs;
  }

  get isAwaited(): boolean {
    return !this.#waiters.isEmpty;
  }

  /** An instance was made, in this many milliseconds of processor time. */
  noteMade(tookMs: number): void {
    this.#patienceMs = tookMs < CHEAP_MS ? 0 : Math.min(tookMs, MAX_PATIENCE_MS);
    this.#idledMs = 0;
  }

  /** Resolves with the next instance that comes back, or with `undefined` when it is time to make one. */
  wait(worth: Worth): Promise<Returned | undefined> {
    const { promise, resolve } = Promise.withResolvers<Returned | undefined>();
    this.#waiters.push({ worth, fromMs: this.#idleMs(), settle: resolve });
    if (this.#waiters.size === 1) this.#watchFirst();
    return promise;
  }

  /** Gives an instance to the request that waits first. Returns false where none waits. */
  give(returned: Returned): boolean {
    if (this.#waiters.isEmpty) return false;
    this.#settleFirst(returned);
    return true;
  }

  /** No instance will come back: whoever waits makes one. */
  giveUp(): void {
    while (!this.#waiters.isEmpty) this.#settleFirst(undefined);
  }

  #settleFirst(returned: Returned | undefined): void {
    clearTimeout(this.#timer);
    const settled = this.#waiters.shift() as Waiter<Returned>;
    const nowMs = this.#idleMs();
    if (settled.worth === "for-many") this.#idledMs += nowMs - settled.fromMs;
    settled.settle(returned);
    const { first } = this.#waiters;
    if (first === undefined) return;
    // One idle moment counts once.
    first.fromMs = nowMs;
    this.#watchFirst();
  }

  #watchFirst(): void {
    const { fromMs, worth } = this.#waiters.first as Waiter<Returned>;
    const idledMs = this.#idleMs() - fromMs + (worth === "for-many" ? this.#idledMs : 0);
    if (idledMs >= this.#patienceMs) this.#settleFirst(undefined);
    else this.#timer = setTimeout(() => this.#watchFirst(), this.#patienceMs - idledMs);
  }
}
