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
      "Size of the cache folder, unless --cache-bytes says otherwise; beyond it, the least recently used components are removed, but none in use.",
    enforcedIn: "registry/cache-room",
  },
  cacheKeepMs: {
    value: 30 * 60_000,
    unit: "ms",
    summary:
      "How long a compiled component counts as in use after a replica has marked it; replicas renew their marks in a third of that time.",
    enforcedIn: "registry/artifact-marks",
  },
} as const satisfies Record<string, FixedLimitRow>;
