/**
 * Bounds of the artifact cache.
 *
 * @module
 */

import { type FixedLimitRow, MIB } from "./limit-row.ts";

export const CACHE_LIMIT_ROWS = {
  /** An artifact takes about twice its component: a hundred plugins that bring Python (19 MB each) fit. */
  cacheBytes: {
    value: 4_096 * MIB,
    unit: "bytes",
    summary:
      "Compiled components in the cache folder, unless --cache-bytes says otherwise; beyond it those that were used longest ago are removed, but none that is in use.",
    enforcedIn: "registry/cache-room",
  },
  cacheKeepMs: {
    value: 30 * 60_000,
    unit: "ms",
    summary:
      "A compiled component counts as in use for so long after a replica has said so; replicas say it again in a third of the time.",
    enforcedIn: "registry/artifact-marks",
  },
} as const satisfies Record<string, FixedLimitRow>;
