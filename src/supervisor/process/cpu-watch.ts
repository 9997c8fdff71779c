/**
 * Fairness of the processor: a runner that never rests goes behind the runners that do, and behind the host. While a
 * process works, its main thread, which executes the guests, is looked at: for how much of the time that was its own
 * to use did it compute? Time in which it waited for a processor does not count, so that a plugin is not blamed for
 * its neighbours. One that hardly rests is given a low scheduling priority, in which it gets what others leave; one
 * that rests again gets its old priority back.
 *
 * Taking a priority back needs CAP_SYS_NICE. A host without it is slower to lower one, and what it lowered stays so
 * until the process ends.
 *
 * Only on Linux; elsewhere nothing is watched.
 *
 * @module
 */

import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import process from "node:process";
import type { CpuSample } from "./runner.ts";
import { BACKGROUND_NICE, LOW_NICE, NORMAL_NICE, setNice } from "../sandbox/priority.ts";

/** A look costs some ten microseconds. */
const LOOK_MS = 50;

/** Shares of its own time that a process computes: from here on it is a hog … */
const HOG_SHARE = 0.9;
/** … and from here down it is none any more. */
const RESTED_SHARE = 0.5;

/** How fast the estimate follows a process that computes more than before: a hog is found in 2.3 times this … */
const RISE_MS = 100;
/** … or this, which compiling at the start does not reach, where it cannot be made good. */
const FINAL_RISE_MS = 1_000;
/** How fast it follows one that computes less: a hog has to rest for about 0.7 times this. */
const FALL_MS = 2_000;

/** Bit 23 of a set of capabilities. */
const CAP_SYS_NICE = 1n << 23n;

const SCHEDSTAT_BYTES = 128;
const NANOS_PER_MS = 1e6;

/** The estimate of one process's share, and what follows from it. Pure. */
export class CpuAppetite {
  readonly #riseMs: number;
  #last: CpuSample;
  #share: number;
  #isHog: boolean;

  /** `isSuspect`: it takes the place of a process that was a hog or failed. */
  constructor(first: CpuSample, options: { readonly isSuspect: boolean; readonly isFinal: boolean }) {
    this.#last = first;
    this.#riseMs = options.isFinal ? FINAL_RISE_MS : RISE_MS;
    this.#isHog = options.isSuspect;
    this.#share = options.isSuspect ? 1 : 0;
  }

  get isHog(): boolean {
    return this.#isHog;
  }

  /** Takes a sample into account. */
  add(sample: CpuSample): void {
    const ranMs = sample.ranMs - this.#last.ranMs;
    const ownMs = sample.atMs - this.#last.atMs - (sample.waitedMs - this.#last.waitedMs);
    // A look that came while it waited for a processor: the next one tells more.
    if (ownMs < 1) return;
    this.#last = sample;
    const share = Math.min(1, ranMs / ownMs);
    const followMs = share > this.#share ? this.#riseMs : FALL_MS;
    this.#share += (share - this.#share) * (1 - Math.exp(-ownMs / followMs));
    if (this.#share >= HOG_SHARE) this.#isHog = true;
    else if (this.#share <= RESTED_SHARE) this.#isHog = false;
  }
}

/** What a watch works with. */
export interface CpuWatchOptions {
  readonly pid: number;
  /** It begins with a low priority, which it has to earn. */
  readonly isSuspect: boolean;
  /** The watch sleeps while the process has nothing to do. */
  readonly isBusy: () => boolean;
  /** Has it never been ready? A start ends by itself or by its time-out, so a hog is given enough for one. */
  readonly isStarting: () => boolean;
}

export class CpuWatch {
  readonly #options: CpuWatchOptions;
  /** Opened once: it stays this process's, even when its number is given to another. */
  #schedstat: number | undefined;
  #appetite: CpuAppetite | undefined;
  #timer: NodeJS.Timeout | undefined;
  #nice = NORMAL_NICE;
  #isFinal = false;

  constructor(options: CpuWatchOptions) {
    this.#options = options;
    if (process.platform !== "linux") return;
    this.#schedstat = openSchedstat(options.pid);
    const first = this.sample();
    if (first === undefined) return;
    this.#isFinal = !mayRaisePriority();
    this.#appetite = new CpuAppetite(first, { isSuspect: options.isSuspect, isFinal: this.#isFinal });
    this.#applyPriority(this.#appetite);
  }

  /** Is it one that hardly rests, whose successor is to begin low? No, where that one could never rise again. */
  get isHog(): boolean {
    return !this.#isFinal && (this.#appetite?.isHog ?? false);
  }

  /** Looks from now on until the process is idle. */
  wake(): void {
    if (this.#appetite === undefined || this.#schedstat === undefined) return;
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
  }

  /** What the process did up to now; `undefined` where that cannot be told. */
  sample(): CpuSample | undefined {
    return this.#schedstat === undefined ? undefined : readSchedstat(this.#schedstat);
  }

  /** Ends the watch. Idempotent. */
  close(): void {
    this.#sleep();
    if (this.#schedstat !== undefined) closeSync(this.#schedstat);
    this.#schedstat = undefined;
  }

  #look(): void {
    const sample = this.sample();
    if (sample === undefined || this.#appetite === undefined) return;
    this.#appetite.add(sample);
    this.#applyPriority(this.#appetite);
    // One that is idle and low is looked at until it has its priority back.
    if (!this.#options.isBusy() && this.#nice === NORMAL_NICE) this.#sleep();
  }

  #applyPriority({ isHog }: CpuAppetite): void {
    const lowNice = this.#options.isStarting() ? BACKGROUND_NICE : LOW_NICE;
    const nice = isHog ? lowNice : NORMAL_NICE;
    if (nice === this.#nice) return;
    this.#nice = nice;
    setNice(this.#options.pid, nice);
  }

  #sleep(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function openSchedstat(pid: number): number | undefined {
  try {
    return openSync(`/proc/${pid}/schedstat`, "r");
  } catch {
    // It ended already, or this kernel does not keep these figures.
    return undefined;
  }
}

/** Of the main thread: nanoseconds on a processor, nanoseconds in wait for one. `undefined` when it has ended. */
function readSchedstat(schedstat: number): CpuSample | undefined {
  const buffer = Buffer.allocUnsafe(SCHEDSTAT_BYTES);
  try {
    const text = buffer.toString("latin1", 0, readSync(schedstat, buffer, 0, SCHEDSTAT_BYTES, 0));
    const [ran, waited] = text.split(" ").map(Number);
    if (ran === undefined || waited === undefined) return undefined;
    return { atMs: performance.now(), ranMs: ran / NANOS_PER_MS, waitedMs: waited / NANOS_PER_MS };
  } catch {
    return undefined;
  }
}

/** May this process take back what it lowered? */
function mayRaisePriority(): boolean {
  const status = readFileSync("/proc/self/status", "utf8");
  const effective = BigInt(`0x${/^CapEff:\s+([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  return (effective & CAP_SYS_NICE) !== 0n;
}
