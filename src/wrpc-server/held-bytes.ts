/**
 * What calls over wRPC hold in memory: parameters that have arrived in part, and results that their callers have not taken. Both
 * are bounded for all plugins together and for each of them, so the callers of one leave room for those of the others.
 *
 * @module
 */

import { FIXED_LIMITS } from "../contract/limits.ts";
import type { WrpcPluginStats, WrpcStats } from "../telemetry/wrpc-stats.ts";

export type HeldKind = "parameterBytes" | "replyBytes";

interface Bounds {
  readonly all: number;
  readonly ofPlugin: number;
}

const BOUNDS: Readonly<Record<HeldKind, Bounds>> = {
  parameterBytes: { all: FIXED_LIMITS.wrpcParameterBytes, ofPlugin: FIXED_LIMITS.wrpcPluginParameterBytes },
  replyBytes: { all: FIXED_LIMITS.wrpcReplyBytes, ofPlugin: FIXED_LIMITS.wrpcPluginReplyBytes },
};

/** The bytes that the calls of one plugin hold. */
export class HeldBytes {
  readonly #all: WrpcStats;
  readonly #ofPlugin: WrpcPluginStats;

  constructor(all: WrpcStats, ofPlugin: WrpcPluginStats) {
    this.#all = all;
    this.#ofPlugin = ofPlugin;
  }

  /** Notes that so many more are held, or fewer where it is negative. */
  add(kind: HeldKind, bytes: number): void {
    this.#all[kind] += bytes;
    this.#ofPlugin[kind] += bytes;
  }

  /** Is there room for what is held and this many more? */
  isRoom(kind: HeldKind, more = 0): boolean {
    const { all, ofPlugin } = BOUNDS[kind];
    return this.#all[kind] + more <= all && this.#ofPlugin[kind] + more <= ofPlugin;
  }
}
