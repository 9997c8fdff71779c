/**
 * Signs of life that a runner owes: each is a ping that must be answered in time and in order. Nothing else
 * counts as one, since whatever else arrives may have been sent before the guest began to compute.
 *
 * @module
 */

interface OwedAnswer {
  readonly nonce: number;
  dueMs: number;
  /** It was given its time once more. */
  isProlonged: boolean;
  readonly answered: () => void;
}

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
  readonly #owed: OwedAnswer[] = [];
  #timer: NodeJS.Timeout | undefined;
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
    return this.#owed.length > 0;
  }

  /**
   * Starts to wait for the answer to the nonce that it returns; `answered` is called when it comes. The answer may
   * take `graceMs` longer than usual: so long the guest may well compute.
   */
  expect(answered: () => void, graceMs = 0): number {
    this.#lastNonce = (this.#lastNonce + 1) >>> 0;
    const dueMs = performance.now() + graceMs + this.#timeoutMs;
    this.#owed.push({ nonce: this.#lastNonce, dueMs, isProlonged: false, answered });
    this.#disarm();
    this.#arm();
    return this.#lastNonce;
  }

  /** Takes an answer. False where it is not the one that is owed next. */
  answer(nonce: number): boolean {
    if (this.#owed[0]?.nonce !== nonce) return false;
    this.#disarm();
    this.#owed.shift()?.answered();
    this.#arm();
    return true;
  }

  /** Waits no more. */
  stop(): void {
    this.#disarm();
    this.#owed.length = 0;
  }

  #arm(): void {
    if (this.#owed.length === 0) return;
    const dueMs = this.#owed.reduce((earliest, owed) => Math.min(earliest, owed.dueMs), Number.POSITIVE_INFINITY);
    this.#timer = setTimeout(() => this.#overdue(), Math.max(0, dueMs - performance.now()));
  }

  /** The host may be late itself: the answer counts if it is among what has arrived by now. */
  #overdue(): void {
    this.#timer = undefined;
    const nowMs = performance.now();
    for (const owed of this.#owed) if (nowMs - owed.dueMs > LATE_MS) this.#prolong(owed, nowMs);
    if (this.#owed.every(({ dueMs }) => dueMs > nowMs)) {
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

  #prolong(owed: OwedAnswer, nowMs: number): void {
    if (owed.isProlonged) return;
    owed.isProlonged = true;
    owed.dueMs = nowMs + this.#timeoutMs;
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#check);
    this.#timer = undefined;
    this.#check = undefined;
  }
}
