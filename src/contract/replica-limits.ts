/**
 * Limits of one replica, set in the consumer file.
 *
 * @module
 */

import { defaultsOf, KIB, type LimitRow, MIB } from "./limit-row.ts";

export const REPLICA_LIMITS = {
  concurrency: {
    default: 1_024,
    min: 1,
    max: 65_536,
    unit: "count",
    summary: "Requests that a replica handles at a time, over all plugins; beyond it the reply is overloaded.",
    enforcedIn: "consumer/admission",
  },
  drainMs: {
    default: 15_000,
    min: 0,
    max: 600_000,
    unit: "ms",
    summary:
      "Time after SIGTERM within which accepted requests must finish and their replies be sent; the rest get the reply draining. Closing uses what remains of it.",
    enforcedIn: "consumer/consumer",
  },
  eagerPlugins: {
    default: 8,
    min: 0,
    max: 1_024,
    unit: "count",
    summary:
      "A replica with at most this many plugins starts their processes when it starts; in a larger one, each process starts with its plugin's first request.",
    enforcedIn: "app-config",
  },
  /** The largest that are made bring a language's runtime: a "hello" by componentize-py 0.13 to 0.17 has 36 MB, by 0.25 19 MB. */
  componentBytes: {
    default: 64 * MIB,
    min: 64 * KIB,
    max: 128 * MIB,
    unit: "bytes",
    summary: "One component's file; a larger one is not read: component-rejected.",
    enforcedIn: "registry/plugin-source",
  },
  compileMs: {
    default: 60_000,
    min: 1_000,
    max: 600_000,
    unit: "ms",
    summary:
      "CPU time that the compiler has for one component. Where other processes keep it from a processor, three times as much time may pass. Beyond it, the compiler is killed: compile-failed, or resources-exhausted.",
    enforcedIn: "supervisor/compilation/compiler-process",
  },
} as const satisfies Record<string, LimitRow>;

/** The limits of one replica, every one with a value. */
export type ReplicaLimits = { readonly [Name in keyof typeof REPLICA_LIMITS]: number };

export const DEFAULT_REPLICA_LIMITS: ReplicaLimits = defaultsOf(REPLICA_LIMITS);

/** What bounds the compilation of one component. */
export type CompilationLimits = Pick<ReplicaLimits, "componentBytes" | "compileMs">;
