/**
 * A time limit for a child process that counts its time on a processor. A process that other processes keep off the
 * processor gets longer, but not for ever. Where this machine does not report processor time, elapsed time counts.
 *
 * @module
 */

/** A process that gets no processor may take this many times its limit. */
const PATIENCE = 3;

/** The most elapsed time that a limit may take, unless something else is said. */
export function patienceOf(timeoutMs: number): number {
  return PATIENCE * timeoutMs;
}

/** A process that had a processor for this part of its time counts as having had it throughout. */
const WHOLE_SHARE = 0.9;

/** The shortest time between two looks. */
const LOOK_MS = 50;

export interface ProcessorDeadlineOptions {
  readonly timeoutMs: number;
  /** The most elapsed time that it may take, however little it could compute; three times the limit by default. */
  readonly patienceMs?: number | undefined;
  /** The process's time on a processor up to now, where this machine reports it. */
  readonly ranMs: () => number | undefined;
  /** The time is over: the process used it, or was `starved` of a processor. Called at most once. */
  readonly expired: (how: "used" | "starved") => void;
}

export class ProcessorDeadline implements Disposable {
  readonly #options: ProcessorDeadlineOptions;
  readonly #startMs = performance.now();
  readonly #ranBeforeMs: number;
  #timer: NodeJS.Timeout;

  /** The time begins now. */
  constructor(options: ProcessorDeadlineOptions) {
    this.#options = options;
    this.#ranBeforeMs = options.ranMs() ?? 0;
    this.#timer = setTimeout(() => this.#look(), options.timeoutMs);
  }

  /** Has the process had a processor for its whole time, as nearly as the kernel counts? */
  get isUsed(): boolean {
    const { timeoutMs, ranMs } = this.#options;
    return (ranMs() ?? Number.POSITIVE_INFINITY) - this.#ranBeforeMs >= timeoutMs * WHOLE_SHARE;
  }

  /** Lifts the deadline. Idempotent. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #look(): void {
    const { timeoutMs, patienceMs = patienceOf(timeoutMs), ranMs, expired } = this.#options;
    const missingMs = this.#ranBeforeMs + timeoutMs - (ranMs() ?? Number.POSITIVE_INFINITY);
    const leftMs = this.#startMs + patienceMs - performance.now();
    if (missingMs <= 0) expired("used");
    else if (leftMs <= 0) expired("starved");
    else this.#timer = setTimeout(() => this.#look(), Math.min(leftMs, Math.max(LOOK_MS, missingMs)));
  }
}
