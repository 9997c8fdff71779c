/**
 * Fairness of the processor: a runner that never rests goes behind the runners that do, and behind the host. While a
 * process works, its main thread is looked at, and `cpu-appetite.ts` judges what is seen. One that hardly rests is
 * given a low scheduling priority, in which it gets what others leave; one that rests again gets its old priority
 * back, and so does one whose sign of life is overdue: it has to be able to give it.
 *
 * Taking a priority back needs CAP_SYS_NICE. A host without it is slower to lower one, and what it lowered stays so
 * until the process ends.
 *
 * Only on Linux; elsewhere nothing is watched.
 *
 * @module
 */

import { type AppetiteSample, CpuAppetite } from "./cpu-appetite.ts";
import { CpuClock } from "./cpu-clock.ts";
import type { CpuSample } from "./runner.ts";
import { CAPABILITY, holdsCapability } from "../sandbox/capabilities.ts";
import { BACKGROUND_NICE, LOW_NICE, NORMAL_NICE, setNice } from "../sandbox/priority.ts";

/** A look costs some ten microseconds, and as much again where the process is held back. */
const LOOK_MS = 50;

/** What a watch works with. */
export interface CpuWatchOptions {
  readonly pid: number;
  /** It begins with a low priority, which it has to earn. */
  readonly isSuspect: boolean;
  /** The watch sleeps while the process has nothing to do. */
  readonly isBusy: () => boolean;
  /** It sleeps from now on. */
  readonly slept: () => void;
  /** Has it never been ready? A start ends by itself or by its time-out, so a hog is given enough for one. */
  readonly isStarting: () => boolean;
  /** Is a sign of life overdue? */
  readonly isOverdue: () => boolean;
}

export class CpuWatch {
  readonly #options: CpuWatchOptions;
  readonly #clock: CpuClock;
  readonly #isFinal: boolean;
  readonly #appetite: CpuAppetite | undefined;
  #timer: NodeJS.Timeout | undefined;
  #nice = NORMAL_NICE;
  #hasStarted = false;
  #makingMs = 0;

  /** Throws where this process has no descriptor left for it. */
  constructor(options: CpuWatchOptions) {
    this.#options = options;
    this.#isFinal = !mayRaisePriority();
    this.#clock = new CpuClock(options.pid);
    const first = this.sample();
    if (first === undefined) return;
    const { isSuspect } = options;
    const isFinal = this.#isFinal;
    this.#appetite = new CpuAppetite({ ...first, makingMs: 0, isAsleep: false }, { isSuspect, isFinal });
    this.#applyPriority(this.#appetite);
  }

  /** Is it one that hardly rests, whose successor is to begin low? No, where that one could never rise again. */
  get isHog(): boolean {
    return !this.#isFinal && (this.#appetite?.isHog ?? false);
  }

  /** Looks from now on until the process is idle. */
  wake(): void {
    if (this.#appetite !== undefined && this.#clock.isOpen) this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
  }

  /** So much of its time was for the making of instances. */
  noteMaking(ms: number): void {
    this.#makingMs += ms;
  }

  /** What the process did up to now; `undefined` where that cannot be told. */
  sample(): CpuSample | undefined {
    return this.#clock.sample();
  }

  /** Ends the watch. Idempotent. */
  close(): void {
    this.#sleep();
    this.#clock.close();
  }

  #look(): void {
    const sample = this.sample();
    if (sample === undefined || this.#appetite === undefined) return;
    const completed = this.#completed(sample, this.#appetite);
    if (!this.#hasStarted && !this.#options.isStarting()) {
      this.#hasStarted = true;
      this.#appetite.started(completed);
    }
    this.#appetite.add(completed);
    this.#applyPriority(this.#appetite);
    // One that is idle and low is looked at until it has its priority back.
    if (this.#options.isBusy() || this.#nice !== NORMAL_NICE) return;
    this.#sleep();
    this.#options.slept();
  }

  #completed(sample: CpuSample, { isHog }: CpuAppetite): AppetiteSample {
    return { ...sample, makingMs: this.#makingMs, isAsleep: isHog && this.#clock.isAsleep() };
  }

  #applyPriority({ isHeldBack }: CpuAppetite): void {
    const { isStarting, isOverdue, pid } = this.#options;
    const lowNice = isStarting() ? BACKGROUND_NICE : LOW_NICE;
    const nice = isHeldBack && !isOverdue() ? lowNice : NORMAL_NICE;
    if (nice === this.#nice) return;
    this.#nice = nice;
    setNice(pid, nice);
  }

  #sleep(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

let mayRaise: boolean | undefined;

/** May this process take back what it lowered? */
function mayRaisePriority(): boolean {
  mayRaise ??= holdsCapability(CAPABILITY.sysNice);
  return mayRaise;
}
