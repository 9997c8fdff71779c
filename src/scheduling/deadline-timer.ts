/**
 * One Node timer for many deadlines. No deadline costs a timer of its own or, where hundreds expire together, a turn of
 * the event loop of its own.
 *
 * It keeps the process alive while a deadline is pending.
 *
 * @module
 */

import { type Deadline, DeadlineWheel } from "./deadline-wheel.ts";

export class DeadlineTimer {
  readonly #wheel = new DeadlineWheel(performance.now());
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires. Cancelling the deadline that it was set for does not change it. */
  #armedMs = Number.POSITIVE_INFINITY;

  /** Calls `expired` within a few milliseconds after `dueMs`, a time of `performance.now()`, unless it is cancelled. */
  add(dueMs: number, expired: () => void): Deadline {
    const deadline = this.#wheel.add(dueMs, expired);
    if (deadline.atMs < this.#armedMs) this.#arm(deadline.atMs);
    else if (this.#wheel.size === 1) this.#timer?.ref();
    return deadline;
  }

  /** Cancels a deadline. Does nothing if it has expired. */
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
    // Deadlines that are added meanwhile must not set the timer: the last line does.
    this.#armedMs = Number.NEGATIVE_INFINITY;
    const nowMs = performance.now();
    for (let due = this.#wheel.takeDue(nowMs); due !== undefined; due = this.#wheel.takeDue(nowMs)) due.expired();
    this.#arm(this.#wheel.nextMs);
  }
}
