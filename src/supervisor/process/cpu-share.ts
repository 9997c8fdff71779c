/**
 * For how much of the time that was its own to use a process computed. Time in which it waited for a processor was not its
 * own: it tells nothing of what the process would have done with one.
 *
 * @module
 */

import type { CpuSample } from "./runner.ts";

/** From here on a process computes without pausing. */
export const RESTLESS_SHARE = 0.9;

/** What a process did between two looks. */
export interface CpuShare {
  /** It could have computed for so long. */
  readonly ownMs: number;
  /** And it did for so long. */
  readonly ranMs: number;
  /** 0 to 1; not a number where no time was its own. */
  readonly share: number;
}

/** `apartMs` of what it ran between the looks is not counted. */
export function cpuShareBetween(from: CpuSample, to: CpuSample, apartMs = 0): CpuShare {
  const ranMs = Math.max(0, to.ranMs - from.ranMs - apartMs);
  const ownMs = to.atMs - from.atMs - (to.waitedMs - from.waitedMs);
  return { ownMs, ranMs, share: Math.min(1, ranMs / ownMs) };
}
