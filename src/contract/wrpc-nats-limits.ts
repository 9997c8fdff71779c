/**
 * Bounds of calls over wRPC on NATS, besides those of all calls over wRPC.
 *
 * @module
 */

import { type FixedLimitRow, MIB } from "./limit-row.ts";

export const WRPC_NATS_LIMIT_ROWS = {
  wrpcOpenParameters: {
    value: 256,
    unit: "count",
    summary:
      "wRPC calls over NATS, of all plugins of one replica, whose parameters have arrived in part; beyond it the result is overloaded.",
    enforcedIn: "wrpc-server/nats/open-parameters",
  },
  wrpcPluginOpenParameters: {
    value: 64,
    unit: "count",
    summary: "Such calls of one plugin; beyond it the result is overloaded.",
    enforcedIn: "wrpc-server/nats/open-parameters",
  },
  wrpcPluginAwaitedBytes: {
    value: 32 * MIB,
    unit: "bytes",
    summary:
      "Parameters that the callers of one plugin are asked for at a time, as they announce them; further callers are asked in turn. A NATS server gives a replica up that has 64 MiB to read.",
    enforcedIn: "wrpc-server/nats/open-parameters",
  },
  wrpcParametersPauseMs: {
    value: 10_000,
    unit: "ms",
    summary:
      "Longest pause in the parameters of such a call, all of which arrive within the plugin's deadline; beyond it the result is deadline-exceeded.",
    enforcedIn: "wrpc-server/nats/open-parameters",
  },
  wrpcReplySubjectLength: {
    value: 1_024,
    unit: "count",
    summary: "Characters of the subject that a caller over wRPC waits on; an invocation with a longer one is dropped.",
    enforcedIn: "wrpc-server/nats/nats-source",
  },
} as const satisfies Record<string, FixedLimitRow>;
