/**
 * Keeps the processor fair: a runner that computes without pausing goes behind the other runners and the host. While a
 * process is busy, the watch samples its main thread, and `cpu-appetite.ts` judges the samples. A hog gets a low
 * scheduling priority, with which it gets what others leave. A process that pauses again gets its old priority back. So
 * does one whose answer to a ping is overdue, since it needs a processor to answer.
 *
 * Raising a priority again needs CAP_SYS_NICE. A host without it is slower to lower one, and a lowered priority stays
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

/** A look costs some ten microseconds, and as much again where the process is a hog. */
const LOOK_MS = 50;

export interface CpuWatchOptions {
  readonly pid: number;
  /** It begins with a low priority and must earn the normal one. */
  readonly isSuspect: boolean;
  /** The watch sleeps while the process has nothing to do. */
  readonly isBusy: () => boolean;
  /** The watch sleeps from now on. */
  readonly slept: () => void;
  /**
   * Has it never been ready? A start is bounded by its deadline, so a hog keeps enough of the processor to finish one.
   */
  readonly isStarting: () => boolean;
  /** Is the answer to a ping overdue? */
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

  /** Throws where this process has no descriptor left for the watch. */
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

  /**
   * Is it a hog, whose successor should begin with a low priority? False where the successor could never rise again.
   */
  get isHog(): boolean {
    return !this.#isFinal && (this.#appetite?.isHog ?? false);
  }

  /** Looks from now on until the process is idle. */
  wake(): void {
    if (this.#appetite !== undefined && this.#clock.isOpen) this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
  }

  /** The process spent this much time making instances. */
  noteMaking(ms: number): void {
    this.#makingMs += ms;
  }

  /** The main thread's times up to now; `undefined` where they cannot be read. */
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
    // An idle process with a low priority is watched until it has its priority back.
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

/** May this process raise a priority that it lowered? */
function mayRaisePriority(): boolean {
  mayRaise ??= holdsCapability(CAPABILITY.sysNice);
  return mayRaise;
}
