/**
 * The pings to a runner and its answers. They show whether the runner is responsive, and whether a call can have begun.
 * Messages stay in order, and the runner answers a ping before it takes the next message. So a call that was sent after
 * an unanswered ping has not begun.
 *
 * @module
 */

import { Violation } from "../../channel/violation.ts";
import { FIXED_LIMITS } from "../../contract/limits.ts";
import { type Verdict, Watchdog } from "./watchdog.ts";

/** An answer takes well below a millisecond while no guest computes. */
const LATE_MS = 25;

/** How often a ping precedes a request, so that the host can tell whether the request has begun. */
const BARRIER_MS = 5;

/** Why a process that owes an answer is ended. */
const REASONS: Readonly<Record<Verdict, string>> = {
  computing: "a guest kept computing after its request's deadline",
  silent: `it gave no sign of life for ${FIXED_LIMITS.silentMs} ms, and did not compute either`,
};

export interface SignsOfLifeOptions {
  readonly send: (nonce: number) => void;
  /** No answer came in time. */
  readonly failed: (reason: string) => void;
  /** Has anything arrived from the runner that the host has not read yet? */
  readonly isBehind: () => boolean;
  /** The runner's time on a processor up to now, where this machine reports it. */
  readonly ranMs: () => number | undefined;
  /** An answer has become late, or none is late any longer. */
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

  /** Pings that were answered: a call sent after more pings than this has not begun. */
  get answered(): number {
    return this.#answered;
  }

  get isOwed(): boolean {
    return this.#watchdog.isOwed;
  }

  /** Is an answer overdue because the runner had no processor? */
  get isOverdue(): boolean {
    return this.#watchdog.isOverdue;
  }

  /** Sends a ping. Calls `answered` when its answer comes, which may take `graceMs` longer than usual. */
  ask(answered: () => void, graceMs: number): void {
    this.#asked += 1;
    this.#send(this.#watchdog.expect(answered, graceMs));
  }

  /**
   * Sends a ping before a request that may have to wait for others, unless one is unanswered or was sent a moment ago.
   * This ping has no time limit of its own: a guest may compute until its deadline.
   */
  askBefore(nowMs: number): void {
    if (nowMs - this.#barrierMs < BARRIER_MS || this.isOwed) return;
    this.#barrierMs = nowMs;
    this.ask(() => undefined, Number.POSITIVE_INFINITY);
  }

  /** Takes an answer; returns a violation where it does not answer the next ping. */
  hear(nonce: number): Violation | undefined {
    if (!this.#watchdog.answer(nonce)) return new Violation("a pong without its ping");
    this.#answered += 1;
    return undefined;
  }

  /** Stops waiting for answers. */
  stop(): void {
    this.#watchdog.stop();
  }
}
