/**
 * Signs of life that a runner owes: each is a ping that must be answered in time and in order. Nothing else
 * counts as one, since whatever else arrives may have been sent before the guest began to compute.
 *
 * An answer that is overdue says that a guest computes only where the runner had a processor meanwhile: one that others
 * keep from it could not answer. So the time that a runner is given counts its time on a processor, from when its
 * guest may compute no longer; and there is a bound on the wait in any case, for one that neither runs nor answers.
 * Where this machine does not tell of the processor, the time that passed counts.
 *
 * @module
 */

import { type OwedAnswer, OwedAnswers } from "./owed-answers.ts";

/** How long the host waits for itself where it is behind; a runner that keeps it behind must not live by that. */
const MAX_BEHIND_MS = 1_000;

/** As long as the host was behind, the runner could not write either: it has so long to go on, at most. */
const CATCH_UP_MS = 50;

/** How often it is looked at whether the host is behind, or the runner had a processor, at the most. */
const LOOK_MS = 5;

/**
 * A host that looks so much too late stalled itself, and so did the runner in all likelihood: a machine that was
 * suspended, or busy with others. The runner is given its time once more, and only once.
 */
const LATE_MS = 100;

/** A runner that had a processor for this part of its time had it for all of it: the kernel counts in ticks. */
const WHOLE_SHARE = 0.9;

/** Why the wait is over: a guest computes, or the runner has not been heard of for too long. */
export type Verdict = "computing" | "silent";

/** What a watchdog works with. */
export interface WatchdogOptions {
  /** Time that a runner is given to answer. */
  readonly timeoutMs: number;
  /** And how much longer it is waited for where it had no processor in that time. */
  readonly silentMs: number;
  /** An answer that takes longer than this is late. */
  readonly lateMs: number;
  /** An answer is overdue. {@link Watchdog.stop} is called then or earlier. */
  readonly expired: (verdict: Verdict) => void;
  /** Is there something of the runner's that has arrived and that the host has not taken yet? */
  readonly isBehind?: () => boolean;
  /** The runner's time on a processor up to now, where this machine tells. */
  readonly ranMs?: () => number | undefined;
  /** One is awaited for longer than that, or is no longer. */
  readonly latenessChanged?: (isLate: boolean) => void;
}

export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #owed = new OwedAnswers();
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires. */
  #armedMs = Number.POSITIVE_INFINITY;
  /** The runner had no processor: it is looked at again then. */
  #againMs = Number.NEGATIVE_INFINITY;
  /** Set while a verdict is awaited: waits no more. */
  #endVerdict: (() => void) | undefined;
  #lastNonce = 0;
  /** Is one awaited for longer than it takes as a rule? */
  #isLate = false;

  constructor(options: WatchdogOptions) {
    this.#options = options;
  }

  /** Is an answer awaited? */
  get isOwed(): boolean {
    return !this.#owed.isEmpty;
  }

  /** Is one awaited that should be there by now, from a runner that had no processor to give it on? */
  get isOverdue(): boolean {
    return this.#againMs !== Number.NEGATIVE_INFINITY;
  }

  /**
   * Starts to wait for the answer to the nonce that it returns; `answered` is called when it comes. The answer may
   * take `graceMs` longer than usual: so long the guest may well compute.
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

  /** Waits no more. */
  stop(): void {
    this.#disarm();
    this.#againMs = Number.NEGATIVE_INFINITY;
    this.#owed.clear();
  }

  /** Sets the timer to what comes next for the earliest answer. While a verdict is awaited there is none. */
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

  /** From when the guest may compute no longer, the runner's time on a processor counts. */
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
    // What has arrived by now is read before this: the host may be late itself.
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

  /** An answer was overdue at `overdueMs`: did its runner have the time that it was given? */
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

  /** Waits while the host is behind, and a little longer. */
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

  /** When an answer is due that may be late only since the host is. */
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
