/**
 * The pings to a runner and its answers, and what they tell: whether it still hears, and of each call whether it can
 * have begun. Host and runner take messages in order, and the runner answers a ping before it takes the next message; so
 * what was sent behind an unanswered ping has not begun.
 *
 * @module
 */

import { Violation } from "../../channel/violation.ts";
import { FIXED_LIMITS } from "../../contract/limits.ts";
import { type Verdict, Watchdog } from "./watchdog.ts";

/** A sign of life takes well below a millisecond, where no guest computes. */
const LATE_MS = 25;

/** How often a ping goes before a request, so that it is known of it whether it has begun. */
const BARRIER_MS = 5;

/** Why a process is ended that owes a sign of life. */
const REASONS: Readonly<Record<Verdict, string>> = {
  computing: "a guest kept computing after its request's deadline",
  silent: `it gave no sign of life for ${FIXED_LIMITS.silentMs} ms, and did not compute either`,
};

export interface SignsOfLifeOptions {
  readonly send: (nonce: number) => void;
  /** No sign came in time. */
  readonly failed: (reason: string) => void;
  /** Is there something of the runner's that has arrived and that the host has not taken yet? */
  readonly isBehind: () => boolean;
  /** The runner's time on a processor up to now, where this machine tells. */
  readonly ranMs: () => number | undefined;
  /** One is awaited for longer than it takes as a rule, or is no longer. */
  readonly latenessChanged: (isLate: boolean) => void;
}

export class SignsOfLife {
  readonly #send: (nonce: number) => void;
  readonly #watchdog: Watchdog;
  #asked = 0;
  #answered = 0;
  #barrierMs = Number.NEGATIVE_INFINITY;

  constructor({ send, failed, isBehind, ranMs, latenessChanged }: SignsOfLifeOptions) {
    this.#send = send;
    this.#watchdog = new Watchdog({
      timeoutMs: FIXED_LIMITS.unresponsiveMs,
      silentMs: FIXED_LIMITS.silentMs,
      lateMs: LATE_MS,
      expired: (verdict) => failed(REASONS[verdict]),
      isBehind,
      ranMs,
      latenessChanged,
    });
  }

  /** Pings that were sent. */
  get asked(): number {
    return this.#asked;
  }

  /** Pings that were answered: a call that was sent behind more of them than this has not begun. */
  get answered(): number {
    return this.#answered;
  }

  get isOwed(): boolean {
    return this.#watchdog.isOwed;
  }

  /** Is one overdue, for which the runner had no processor? */
  get isOverdue(): boolean {
    return this.#watchdog.isOverdue;
  }

  /** Asks for one. `answered` is called when it comes; that may take `graceMs` longer than usual. */
  ask(answered: () => void, graceMs: number): void {
    this.#asked += 1;
    this.#send(this.#watchdog.expect(answered, graceMs));
  }

  /**
   * Asks before a request that may have to wait for others, unless a sign is owed or was asked for a moment ago. It has no
   * time of its own: a guest may compute until its deadline.
   */
  askBefore(): void {
    const nowMs = performance.now();
    if (nowMs - this.#barrierMs < BARRIER_MS || this.isOwed) return;
    this.#barrierMs = nowMs;
    this.ask(() => undefined, Number.POSITIVE_INFINITY);
  }

  /** One came; a violation where it is not the one that is owed next. */
  hear(nonce: number): Violation | undefined {
    if (!this.#watchdog.answer(nonce)) return new Violation("a pong without its ping");
    this.#answered += 1;
    return undefined;
  }

  /** None is waited for any more. */
  stop(): void {
    this.#watchdog.stop();
  }
}
