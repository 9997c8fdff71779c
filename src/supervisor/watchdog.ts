/**
 * Signs of life that a runner owes: each is a ping that must be answered in time and in order. Nothing else
 * counts as one, since whatever else arrives may have been sent before the guest began to compute.
 *
 * @module
 */

import { type OwedAnswer, OwedAnswers } from "./owed-answers.ts";

/** How long the host waits for itself where it is behind; a runner that keeps it behind must not live by that. */
const MAX_BEHIND_MS = 1_000;

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
  #check: NodeJS.Immediate | undefined;
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
    clearImmediate(this.#check);
    this.#check = undefined;
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
    if (dueMs === this.#armedMs || this.#check !== undefined) return;
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
    const endMs = nowMs + MAX_BEHIND_MS;
    const check = (wasBehind: boolean): void => {
      this.#check = setImmediate(() => {
        this.#check = undefined;
        const isBehind = this.#isBehind();
        // Behind what waited there may be more, which is read in the turn after.
        if ((isBehind || wasBehind) && performance.now() < endMs) check(isBehind);
        else this.#expired();
      });
    };
    check(false);
  }

  /** When an answer is due that may be late only since the host is. */
  #prolonged(owed: OwedAnswer, nowMs: number): number {
    if (owed.isProlonged || nowMs - owed.dueMs <= LATE_MS) return owed.dueMs;
    owed.isProlonged = true;
    return nowMs + this.#timeoutMs;
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#check);
    this.#timer = undefined;
    this.#armedMs = Number.POSITIVE_INFINITY;
    this.#check = undefined;
  }
}
