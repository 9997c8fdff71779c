/**
 * The share of its usable time in which a process computed. Time in which it waited for a processor is not usable:
 * nothing shows what the process would have done with one.
 *
 * @module
 */

import type { CpuSample } from "./runner.ts";

/** From this share up, a process counts as computing without pausing. */
export const RESTLESS_SHARE = 0.9;

/** What a process did between two samples. */
export interface CpuShare {
  /** Usable time: it could have computed for this long. */
  readonly ownMs: number;
  /** It did compute for this long. */
  readonly ranMs: number;
  /** 0 to 1; meaningless where `ownMs` is 0. */
  readonly share: number;
}

/** `apartMs` of its time on a processor is not counted. */
export function cpuShareBetween(from: CpuSample, to: CpuSample, apartMs = 0): CpuShare {
  const ranMs = Math.max(0, to.ranMs - from.ranMs - apartMs);
  const ownMs = to.atMs - from.atMs - (to.waitedMs - from.waitedMs);
  return { ownMs, ranMs, share: Math.min(1, ranMs / ownMs) };
}
