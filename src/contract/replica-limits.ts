/**
 * Limits of one replica, set in the consumer file.
 *
 * @module
 */

import { defaultsOf, type LimitRow } from "./limit-row.ts";

export const REPLICA_LIMITS = {
  concurrency: {
    default: 1_024,
    min: 1,
    max: 65_536,
    unit: "count",
    summary: "Requests that a replica handles at a time over all plugins; beyond it the reply is overloaded.",
    enforcedIn: "consumer/admission",
  },
  drainMs: {
    default: 15_000,
    min: 0,
    max: 600_000,
    unit: "ms",
    summary:
      "Time that accepted requests have to finish after SIGTERM, and their replies to be sent; then they are answered with draining. Closing has what is left of it.",
    enforcedIn: "consumer/consumer",
  },
  eagerPlugins: {
    default: 8,
    min: 0,
    max: 1_024,
    unit: "count",
    summary:
      "A replica of at most so many plugins starts their processes with itself; in a larger one each is started by its first request.",
    enforcedIn: "app-config",
  },
} as const satisfies Record<string, LimitRow>;

/** The limits of one replica, every one with a value. */
export type ReplicaLimits = { readonly [Name in keyof typeof REPLICA_LIMITS]: number };

export const DEFAULT_REPLICA_LIMITS: ReplicaLimits = defaultsOf(REPLICA_LIMITS);
