/**
 * The estimate of one process's use of the processor, and what follows from it. Pure.
 *
 * What counts is for how much of the time that was its own to use the process computed for its plugin. Time in which
 * it waited for a processor was not its own; a fresh instance for each request is the host's wish and not the plugin's.
 *
 * A verdict makes its own evidence: a process that is held back on a busy machine has always something to do, however
 * little it is. So a look at one counts only where it was asleep, since the kernel adds a wait up when it is over. And
 * one that waited for long is let go on trial: for a moment it has its old priority, in which it can show whether it
 * rests. Each trial that it fails doubles the time to the next one.
 *
 * @module
 */

import { type CpuShare, cpuShareBetween, RESTLESS_SHARE } from "./cpu-share.ts";
import type { CpuSample } from "./runner.ts";

/** A process that computes without pausing is a hog; from here down it is a hog no longer. */
const RESTED_SHARE = 0.5;

/** How fast the estimate follows a process that computes more than before: a hog is found in 2.3 times this … */
const RISE_MS = 100;
/** … or this, which compiling at the start does not reach, where it cannot be undone. */
const FINAL_RISE_MS = 1_000;
/** How fast it follows one that computes less: a hog has to rest for about 0.7 times this. */
const FALL_MS = 2_000;

/** A process that is held back has waited for so long before its first trial, and before any later one at most. */
const FIRST_TRIAL_AFTER_MS = 500;
const LAST_TRIAL_AFTER_MS = 16_000;
/** A trial tells enough when so much time was the process's own … */
const TRIAL_OWN_MS = 100;
/** … and is over when it computed for so long. */
const TRIAL_RAN_MS = 150;

/** A sample with what the appetite needs besides. */
export interface AppetiteSample extends CpuSample {
  /** What of `ranMs` was for the making of instances. */
  readonly makingMs: number;
  /** It neither ran nor waited for a processor when it was looked at. Told only of one that is a hog. */
  readonly isAsleep: boolean;
}

type TrialState =
  /** None, while the process has waited for less than `afterMs` since `from`. */
  | { readonly kind: "none"; readonly from: AppetiteSample; readonly afterMs: number }
  | { readonly kind: "under-way"; readonly from: AppetiteSample; readonly afterMs: number };

export class CpuAppetite {
  readonly #riseMs: number;
  readonly #isSuspect: boolean;
  readonly #isFinal: boolean;
  #last: AppetiteSample;
  #share: number;
  #isHog: boolean;
  #trial: TrialState;

  /**
   * `isSuspect`: it takes the place of a process that was a hog or failed. `isFinal`: what is lowered can never be
   * raised again.
   */
  constructor(first: AppetiteSample, options: { readonly isSuspect: boolean; readonly isFinal: boolean }) {
    this.#last = first;
    this.#isFinal = options.isFinal;
    this.#isSuspect = options.isSuspect;
    this.#riseMs = options.isFinal ? FINAL_RISE_MS : RISE_MS;
    this.#isHog = options.isSuspect;
    this.#share = options.isSuspect ? 1 : 0;
    this.#trial = { kind: "none", from: first, afterMs: FIRST_TRIAL_AFTER_MS };
  }

  get isHog(): boolean {
    return this.#isHog;
  }

  /** Is it to go behind others now? Not while it is on trial. */
  get isHeldBack(): boolean {
    return this.#isHog && this.#trial.kind === "none";
  }

  /**
   * Its start is over. What it computed for that, compiling above all, tells nothing of the plugin: the estimate begins
   * anew. The verdict on a suspect stays, and so does one that cannot be undone.
   */
  started(sample: AppetiteSample): void {
    if (this.#isSuspect || (this.#isHog && this.#isFinal)) return;
    this.#last = sample;
    this.#share = 0;
    this.#isHog = false;
  }

  /** Takes a sample into account. */
  add(sample: AppetiteSample): void {
    const wasHog = this.#isHog;
    if (!wasHog || sample.isAsleep) this.#follow(sample);
    if (!this.#isHog) return;
    if (wasHog) this.#try(sample);
    else this.#trial = { kind: "none", from: sample, afterMs: FIRST_TRIAL_AFTER_MS };
  }

  #follow(sample: AppetiteSample): void {
    const { ownMs, share } = useBetween(this.#last, sample);
    // A look that came while it waited for a processor: the next one tells more.
    if (ownMs < 1) return;
    this.#last = sample;
    const followMs = share > this.#share ? this.#riseMs : FALL_MS;
    this.#share += (share - this.#share) * (1 - Math.exp(-ownMs / followMs));
    if (this.#share >= RESTLESS_SHARE) this.#isHog = true;
    else if (this.#share <= RESTED_SHARE) this.#isHog = false;
  }

  #try(sample: AppetiteSample): void {
    if (this.#isFinal) return;
    const { from, kind, afterMs } = this.#trial;
    if (kind === "none") {
      if (sample.waitedMs - from.waitedMs >= afterMs) this.#trial = { kind: "under-way", from: sample, afterMs };
      return;
    }
    const { ownMs, ranMs, share } = useBetween(from, sample);
    if (sample.isAsleep && ownMs >= TRIAL_OWN_MS && share < RESTLESS_SHARE) {
      this.#isHog = false;
      this.#share = share;
      this.#last = sample;
    } else if (ranMs >= TRIAL_RAN_MS) {
      this.#trial = { kind: "none", from: sample, afterMs: Math.min(LAST_TRIAL_AFTER_MS, afterMs * 2) };
    }
  }
}

/** What it did between two looks for its plugin. */
function useBetween(from: AppetiteSample, to: AppetiteSample): CpuShare {
  return cpuShareBetween(from, to, to.makingMs - from.makingMs);
}
