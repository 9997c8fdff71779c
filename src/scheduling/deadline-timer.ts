/**
 * One timer of Node's for many deadlines: what is done with them costs neither a timer each nor, where hundreds are
 * met together, a round of the event loop each.
 *
 * It keeps the process running for as long as a deadline is ahead.
 *
 * @module
 */

import { type Deadline, DeadlineWheel } from "./deadline-wheel.ts";

export class DeadlineTimer {
  readonly #wheel = new DeadlineWheel(performance.now());
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires. It is left as it is when the deadline that it was set for is taken back. */
  #armedMs = Number.POSITIVE_INFINITY;

  /** Calls back at a time of `performance.now()`, in a millisecond or a few after it, unless it is taken back. */
  add(dueMs: number, expired: () => void): Deadline {
    const deadline = this.#wheel.add(dueMs, expired);
    if (deadline.atMs < this.#armedMs) this.#arm(deadline.atMs);
    else if (this.#wheel.size === 1) this.#timer?.ref();
    return deadline;
  }

  /** Takes a deadline back. Does nothing where it was met. */
  cancel(deadline: Deadline): void {
    this.#wheel.cancel(deadline);
    if (this.#wheel.size === 0) this.#timer?.unref();
  }

  #arm(atMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#armedMs = atMs;
    if (atMs === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.#fire(), Math.max(1, Math.ceil(atMs - performance.now())));
  }

  #fire(): void {
    // What is added meanwhile must not set the timer: that is done below.
    this.#armedMs = Number.NEGATIVE_INFINITY;
    const nowMs = performance.now();
    for (let due = this.#wheel.takeDue(nowMs); due !== undefined; due = this.#wheel.takeDue(nowMs)) due.expired();
    this.#arm(this.#wheel.nextMs);
  }
}
