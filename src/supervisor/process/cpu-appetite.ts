/**
 * Estimates one process's use of the processor, and decides whether to hold it back. Pure.
 *
 * The measure is the share of the process's usable time in which it computed for its plugin. Time in which it waited
 * for a processor is not usable. Time in which it made a fresh instance for a request does not count: the host requires
 * that, not the plugin.
 *
 * The verdict distorts later samples: on a busy machine, a process that is held back always has work left, however
 * little there is. So a sample of a hog counts only where the process was asleep, since the kernel adds up a wait only
 * when it is over. A process that has waited for long gets a trial: it has its old priority for a moment, to show
 * whether it pauses. Each failed trial doubles the time to the next one.
 *
 * @module
 */

import { type CpuShare, cpuShareBetween, RESTLESS_SHARE } from "./cpu-share.ts";
import type { CpuSample } from "./runner.ts";

/** A process at or above `RESTLESS_SHARE` is a hog; at or below this share it stops being one. */
const RESTED_SHARE = 0.5;

/** How fast the estimate rises for a process that computes more than before: a hog is found in 2.3 times this … */
const RISE_MS = 100;
/**
 * … or 2.3 times this, where a lowered priority cannot be raised again: long enough that compiling at the start makes
 * no hog.
 */
const FINAL_RISE_MS = 1_000;
/** How fast it falls for one that computes less: a hog must pause for about 0.7 times this. */
const FALL_MS = 2_000;

/**
 * How long a process that is held back has waited for a processor before its first trial, and at most before a later
 * one.
 */
const FIRST_TRIAL_AFTER_MS = 500;
const LAST_TRIAL_AFTER_MS = 16_000;
/** A trial has shown enough when the process had this much usable time … */
const TRIAL_OWN_MS = 100;
/** … and is over when it computed for this long. */
const TRIAL_RAN_MS = 150;

export interface AppetiteSample extends CpuSample {
  /** The part of `ranMs` that went into making instances. */
  readonly makingMs: number;
  /** The process neither ran nor waited for a processor at this moment. Set only for a hog. */
  readonly isAsleep: boolean;
}

type TrialState =
  /** No trial yet: the process has waited for less than `afterMs` since `from`. */
  | { readonly kind: "none"; readonly from: AppetiteSample; readonly afterMs: number }
  | { readonly kind: "running"; readonly from: AppetiteSample; readonly afterMs: number };

export class CpuAppetite {
  readonly #riseMs: number;
  readonly #isSuspect: boolean;
  readonly #isFinal: boolean;
  #last: AppetiteSample;
  #share: number;
  #isHog: boolean;
  #trial: TrialState;

  /**
   * `isSuspect`: the process replaces one that was a hog or failed. `isFinal`: a lowered priority can never be raised
   * again.
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

  /** Should it have a low priority now? Not during a trial. */
  get isHeldBack(): boolean {
    return this.#isHog && this.#trial.kind === "none";
  }

  /**
   * The process has started. The estimate begins anew, since compiling and the rest of the start say nothing about the
   * plugin. A suspect's verdict stays, and so does one that cannot be undone.
   */
  started(sample: AppetiteSample): void {
    if (this.#isSuspect || (this.#isHog && this.#isFinal)) return;
    this.#last = sample;
    this.#share = 0;
    this.#isHog = false;
  }

  add(sample: AppetiteSample): void {
    const wasHog = this.#isHog;
    if (!wasHog || sample.isAsleep) this.#follow(sample);
    if (!this.#isHog) return;
    if (wasHog) this.#try(sample);
    else this.#trial = { kind: "none", from: sample, afterMs: FIRST_TRIAL_AFTER_MS };
  }

  #follow(sample: AppetiteSample): void {
    const { ownMs, share } = useBetween(this.#last, sample);
    // The process waited for a processor all the time: the next sample says more.
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
      if (sample.waitedMs - from.waitedMs >= afterMs) this.#trial = { kind: "running", from: sample, afterMs };
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

/** What the process computed for its plugin between two samples. */
function useBetween(from: AppetiteSample, to: AppetiteSample): CpuShare {
  return cpuShareBetween(from, to, to.makingMs - from.makingMs);
}
