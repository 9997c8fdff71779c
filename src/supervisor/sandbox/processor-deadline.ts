/**
 * A time limit for a child process that counts its time on a processor: one that others keep from it is waited for,
 * and not for ever. Where this machine does not tell of the processor, the time that passes counts.
 *
 * @module
 */

/** How many times its limit a process may take where it gets no processor. */
const PATIENCE = 3;

/** It is looked at again no sooner than this. */
const LOOK_MS = 50;

export interface ProcessorDeadlineOptions {
  readonly timeoutMs: number;
  /** All the time that it may take, however little it could do in it; three times the limit unless given. */
  readonly patienceMs?: number | undefined;
  /** The process's time on a processor up to now. */
  readonly ranMs: () => number | undefined;
  /** The time is over: it was used, or the process was `starved`. Called at most once. */
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

  /** There is no hurry any more. Idempotent. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #look(): void {
    const { timeoutMs, patienceMs = PATIENCE * timeoutMs, ranMs, expired } = this.#options;
    const missingMs = this.#ranBeforeMs + timeoutMs - (ranMs() ?? Number.POSITIVE_INFINITY);
    const leftMs = this.#startMs + patienceMs - performance.now();
    if (missingMs <= 0) expired("used");
    else if (leftMs <= 0) expired("starved");
    else this.#timer = setTimeout(() => this.#look(), Math.min(leftMs, Math.max(LOOK_MS, missingMs)));
  }
}
