/**
 * Watches that a runner answers its pings, in time and in order. Nothing else shows that it is responsive, since any
 * other message may have been sent before the guest began to compute.
 *
 * An overdue answer proves that a guest computes only if the runner had a processor meanwhile; without one it could not
 * answer. So a runner's time limit counts its time on a processor, from the moment when its guest may no longer
 * compute. A second bound, on elapsed time, ends a runner that neither runs nor answers. Where this machine does not
 * report processor time, elapsed time counts.
 *
 * @module
 */

import { type OwedAnswer, OwedAnswers } from "./owed-answers.ts";

/** How long the host, where it is behind, waits to catch up; a runner must not survive by keeping it behind. */
const MAX_BEHIND_MS = 1_000;

/** While the host was behind, the runner may have been unable to write: it gets this long afterwards to answer. */
const CATCH_UP_MS = 50;

/** The shortest time between two checks whether the host is behind, or the runner had a processor. */
const LOOK_MS = 5;

/**
 * If the host's check is this late, the host itself stalled, and most likely the runner did too: the machine was
 * suspended, or busy with other processes. The runner gets its time once more, and only once.
 */
const LATE_MS = 100;

/**
 * A runner that had a processor for this part of its time counts as having had it throughout: the kernel counts in
 * ticks.
 */
const WHOLE_SHARE = 0.9;

/** Why the wait is over: a guest computes, or the runner neither answered nor ran for too long. */
export type Verdict = "computing" | "silent";

export interface WatchdogOptions {
  /** The time that a runner has to answer. */
  readonly timeoutMs: number;
  /** How much longer the watchdog waits where the runner had no processor in that time. */
  readonly silentMs: number;
  /** An answer that takes longer than this is late. */
  readonly lateMs: number;
  /** An answer is overdue. {@link Watchdog.stop} is called then or earlier. */
  readonly expired: (verdict: Verdict) => void;
  /** Has anything arrived from the runner that the host has not read yet? */
  readonly isBehind?: () => boolean;
  /** The runner's time on a processor up to now, where this machine reports it. */
  readonly ranMs?: () => number | undefined;
  /** An answer has become late, or none is late any longer. */
  readonly latenessChanged?: (isLate: boolean) => void;
}

export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #owed = new OwedAnswers();
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires. */
  #armedMs = Number.POSITIVE_INFINITY;
  /** When to check again a runner that had no processor. */
  #againMs = Number.NEGATIVE_INFINITY;
  /** Set while a verdict is pending: calls it off. */
  #endVerdict: (() => void) | undefined;
  #lastNonce = 0;
  /** Is an answer late? */
  #isLate = false;

  constructor(options: WatchdogOptions) {
    this.#options = options;
  }

  /** Is an answer awaited? */
  get isOwed(): boolean {
    return !this.#owed.isEmpty;
  }

  /** Is an answer overdue because the runner had no processor? */
  get isOverdue(): boolean {
    return this.#againMs !== Number.NEGATIVE_INFINITY;
  }

  /**
   * Returns a nonce and starts to wait for the answer to it; calls `answered` when that comes. The answer may take
   * `graceMs` longer than usual: for that long, the guest is allowed to compute.
   */
  expect(answered: () => void, graceMs = 0): number {
    this.#lastNonce = (this.#lastNonce + 1) >>> 0;
    const askedMs = performance.now();
    const dueMs = askedMs + graceMs + this.#options.timeoutMs;
    this.#owed.add({ nonce: this.#lastNonce, askedMs, dueMs, isProlonged: false, ran: undefined, answered });
    this.#arm();
    return this.#lastNonce;
  }

  /** Takes an answer. False where it is not the one that is owed next. */
  answer(nonce: number): boolean {
    if (this.#owed.first?.nonce !== nonce) return false;
    this.#endVerdict?.();
    this.#endVerdict = undefined;
    this.#againMs = Number.NEGATIVE_INFINITY;
    this.#owed.take()?.answered();
    this.#arm();
    if (this.#isLate) this.#noteLateness();
    return true;
  }

  /** Stops waiting. */
  stop(): void {
    this.#disarm();
    this.#againMs = Number.NEGATIVE_INFINITY;
    this.#owed.clear();
  }

  /**
   * Sets the timer for the next step: an answer becomes late, starts to count, or is due. While a verdict is pending,
   * there is no timer.
   */
  #arm(): void {
    const { earliest } = this.#owed;
    const dueMs = earliest === undefined ? Number.POSITIVE_INFINITY : Math.max(this.#againMs, this.#nextMs(earliest));
    const nextMs = Math.min(dueMs, this.#isLate ? Number.POSITIVE_INFINITY : this.#lateAtMs);
    if (nextMs === this.#armedMs || this.#endVerdict !== undefined) return;
    this.#disarm();
    if (nextMs === Number.POSITIVE_INFINITY) return;
    this.#armedMs = nextMs;
    this.#timer = setTimeout(() => this.#reached(), Math.max(0, nextMs - performance.now()));
  }

  /**
   * When the time of the earliest answer starts to count, then when it is due. It counts once the guest may no longer
   * compute.
   */
  #nextMs(earliest: OwedAnswer): number {
    const fromMs = earliest.dueMs - this.#options.timeoutMs;
    if (earliest.ran === undefined && performance.now() < fromMs) return fromMs;
    earliest.ran ??= { atMs: this.#options.ranMs?.() };
    return earliest.dueMs;
  }

  /** When the answer that must come next is late. */
  get #lateAtMs(): number {
    const { first } = this.#owed;
    return first === undefined ? Number.POSITIVE_INFINITY : first.askedMs + this.#options.lateMs;
  }

  #reached(): void {
    this.#disarm();
    const nowMs = performance.now();
    // Node reads what has arrived before it runs this: the host itself may be late.
    const immediate = setImmediate(() => {
      this.#endVerdict = undefined;
      const { earliest } = this.#owed;
      if (earliest === undefined || Math.max(this.#againMs, this.#nextMs(earliest)) > nowMs) this.#arm();
      else this.#consider(earliest, nowMs);
      this.#noteLateness();
    });
    this.#endVerdict = () => clearImmediate(immediate);
  }

  #noteLateness(): void {
    const isLate = this.#lateAtMs <= performance.now();
    if (isLate === this.#isLate) return;
    this.#isLate = isLate;
    this.#arm();
    this.#options.latenessChanged?.(isLate);
  }

  /** An answer was overdue at `overdueMs`: did the runner have its time on a processor? */
  #consider(owed: OwedAnswer, overdueMs: number): void {
    const nowMs = performance.now();
    const { timeoutMs, silentMs, expired, ranMs } = this.#options;
    const [beforeMs, ranNowMs] = [owed.ran?.atMs, ranMs?.()];
    if (beforeMs === undefined || ranNowMs === undefined) {
      if (overdueMs - owed.dueMs > LATE_MS) this.#owed.prolong((each) => this.#prolonged(each, overdueMs));
      if (this.#owed.earliest === owed && owed.dueMs <= nowMs) this.#judge(overdueMs, Number.NEGATIVE_INFINITY);
      else this.#arm();
      return;
    }
    const missingMs = timeoutMs * WHOLE_SHARE - (ranNowMs - beforeMs);
    if (missingMs <= 0) this.#judge(overdueMs, Number.NEGATIVE_INFINITY);
    else if (nowMs >= owed.dueMs + silentMs) expired("silent");
    else {
      this.#againMs = nowMs + Math.max(LOOK_MS, missingMs);
      this.#arm();
    }
  }

  /** Gives the verdict once the host is not behind any more, and a little later. */
  #judge(overdueMs: number, wasBehindMs: number): void {
    this.#endVerdict = undefined;
    const nowMs = performance.now();
    const behindMs = this.#options.isBehind?.() === true ? nowMs : wasBehindMs;
    if (nowMs - behindMs >= CATCH_UP_MS || nowMs - overdueMs >= MAX_BEHIND_MS) {
      this.#options.expired("computing");
      return;
    }
    const timer = setTimeout(() => this.#judge(overdueMs, behindMs), LOOK_MS);
    this.#endVerdict = () => clearTimeout(timer);
  }

  /** The due time of an answer that may be late only because the host is. */
  #prolonged(owed: OwedAnswer, nowMs: number): number {
    if (owed.isProlonged || nowMs - owed.dueMs <= LATE_MS) return owed.dueMs;
    owed.isProlonged = true;
    return nowMs + this.#options.timeoutMs;
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#endVerdict?.();
    this.#timer = undefined;
    this.#armedMs = Number.POSITIVE_INFINITY;
    this.#endVerdict = undefined;
  }
}
