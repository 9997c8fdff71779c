/**
 * Signs of life that a runner owes: each is a ping that must be answered in time and in order. Nothing else
 * counts as one, since whatever else arrives may have been sent before the guest began to compute.
 *
 * @module
 */

import { type OwedAnswer, OwedAnswers } from "./owed-answers.ts";

/** How long the host waits for itself where it is behind; a runner that keeps it behind must not live by that. */
const MAX_BEHIND_MS = 1_000;

/** As long as the host was behind, the runner could not write either: it has so long to go on, at most. */
const CATCH_UP_MS = 50;

/** How often it is looked at whether the host is behind. */
const LOOK_MS = 5;

/**
 * A host that looks so much too late stood still itself, and so did the runner in all likelihood: a machine that was
 * suspended, or busy with others. The runner is given its time once more, and only once.
 */
const LATE_MS = 100;

export class Watchdog {
  readonly #timeoutMs: number;
  readonly #expired: () => void;
  readonly #isBehind: () => boolean;
  readonly #owed = new OwedAnswers();
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires. */
  #armedMs = Number.POSITIVE_INFINITY;
  /** Set while a verdict is awaited: waits no more. */
  #endVerdict: (() => void) | undefined;
  #lastNonce = 0;

  /**
   * `expired` is called once an answer is overdue; {@link stop} is called then or earlier. `isBehind`: is there
   * something of the runner's that has arrived and that the host has not taken yet?
   */
  constructor(timeoutMs: number, expired: () => void, isBehind: () => boolean = () => false) {
    this.#timeoutMs = timeoutMs;
    this.#expired = expired;
    this.#isBehind = isBehind;
  }

  /** Is an answer awaited? */
  get isOwed(): boolean {
    return !this.#owed.isEmpty;
  }

  /**
   * Starts to wait for the answer to the nonce that it returns; `answered` is called when it comes. The answer may
   * take `graceMs` longer than usual: so long the guest may well compute.
   */
  expect(answered: () => void, graceMs = 0): number {
    this.#lastNonce = (this.#lastNonce + 1) >>> 0;
    const dueMs = performance.now() + graceMs + this.#timeoutMs;
    this.#owed.add({ nonce: this.#lastNonce, dueMs, isProlonged: false, answered });
    this.#arm();
    return this.#lastNonce;
  }

  /** Takes an answer. False where it is not the one that is owed next. */
  answer(nonce: number): boolean {
    if (this.#owed.first?.nonce !== nonce) return false;
    this.#endVerdict?.();
    this.#endVerdict = undefined;
    this.#owed.take()?.answered();
    this.#arm();
    return true;
  }

  /** Waits no more. */
  stop(): void {
    this.#disarm();
    this.#owed.clear();
  }

  /** Sets the timer to the earliest answer, unless it is already. While a verdict is awaited there is none. */
  #arm(): void {
    const dueMs = this.#owed.earliestMs;
    if (dueMs === this.#armedMs || this.#endVerdict !== undefined) return;
    this.#disarm();
    if (dueMs === Number.POSITIVE_INFINITY) return;
    this.#armedMs = dueMs;
    this.#timer = setTimeout(() => this.#overdue(), Math.max(0, dueMs - performance.now()));
  }

  /** The host may be late itself: the answer counts if it is among what has arrived by now. */
  #overdue(): void {
    this.#disarm();
    const nowMs = performance.now();
    if (nowMs - this.#owed.earliestMs > LATE_MS) this.#owed.prolong((owed) => this.#prolonged(owed, nowMs));
    if (this.#owed.earliestMs > nowMs) {
      this.#arm();
      return;
    }
    // What has arrived by now is read before this.
    const immediate = setImmediate(() => this.#judge(nowMs, Number.NEGATIVE_INFINITY));
    this.#endVerdict = () => clearImmediate(immediate);
  }

  /** An answer was overdue at `overdueMs`: waits while the host is behind, and a little longer. */
  #judge(overdueMs: number, wasBehindMs: number): void {
    this.#endVerdict = undefined;
    const nowMs = performance.now();
    const behindMs = this.#isBehind() ? nowMs : wasBehindMs;
    if (nowMs - behindMs >= CATCH_UP_MS || nowMs - overdueMs >= MAX_BEHIND_MS) {
      this.#expired();
      return;
    }
    const timer = setTimeout(() => this.#judge(overdueMs, behindMs), LOOK_MS);
    this.#endVerdict = () => clearTimeout(timer);
  }

  /** When an answer is due that may be late only since the host is. */
  #prolonged(owed: OwedAnswer, nowMs: number): number {
    if (owed.isProlonged || nowMs - owed.dueMs <= LATE_MS) return owed.dueMs;
    owed.isProlonged = true;
    return nowMs + this.#timeoutMs;
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#endVerdict?.();
    this.#timer = undefined;
    this.#armedMs = Number.POSITIVE_INFINITY;
    this.#endVerdict = undefined;
  }
}
