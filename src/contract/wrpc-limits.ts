/**
 * Bounds of calls over wRPC.
 *
 * @module
 */

import { type FixedLimitRow, MIB } from "./limit-row.ts";

export const WRPC_LIMIT_ROWS = {
  wrpcConnections: {
    value: 1_024,
    unit: "count",
    summary: "wRPC connections of one replica, over all its plugins; further ones are closed at once.",
    enforcedIn: "wrpc-server/listener",
  },
  wrpcPluginConnections: {
    value: 512,
    unit: "count",
    summary: "wRPC connections of one plugin; further ones are closed at once.",
    enforcedIn: "wrpc-server/listener",
  },
  wrpcHandshakeMs: {
    value: 3_000,
    unit: "ms",
    summary: "Time for the TLS handshake of a wRPC connection; then it is closed.",
    enforcedIn: "wrpc-server/listener",
  },
  wrpcParametersMs: {
    value: 10_000,
    unit: "ms",
    summary: "Time in which the parameters of a wRPC call arrive; then its connection is closed.",
    enforcedIn: "wrpc-server/connection",
  },
  wrpcReplyMs: {
    value: 10_000,
    unit: "ms",
    summary: "Time in which a caller over wRPC takes the result; then the connection is closed.",
    enforcedIn: "wrpc-server/connection",
  },
  wrpcLingerMs: {
    value: 1_000,
    unit: "ms",
    summary: "Time after the result in which the caller closes its side; then the host does.",
    enforcedIn: "wrpc-server/connection",
  },
  wrpcFrames: {
    value: 16_384,
    unit: "count",
    summary: "Frames that the parameters of one wRPC call are spread over; with more, the connection is closed.",
    enforcedIn: "wrpc/frames",
  },
  wrpcParameterBytes: {
    value: 256 * MIB,
    unit: "bytes",
    summary: "Parameters of all wRPC calls that have arrived in part; beyond it the result is overloaded.",
    enforcedIn: "wrpc-server/held-bytes",
  },
  wrpcPluginParameterBytes: {
    value: 144 * MIB,
    unit: "bytes",
    summary: "Those of one plugin's calls: room for 16 of 8 MiB, and never all of the room for others' calls.",
    enforcedIn: "wrpc-server/held-bytes",
  },
  wrpcReplyBytes: {
    value: 256 * MIB,
    unit: "bytes",
    summary:
      "Results of all wRPC calls over TCP that their callers have not taken yet; beyond it a result is given up.",
    enforcedIn: "wrpc-server/held-bytes",
  },
  wrpcPluginReplyBytes: {
    value: 144 * MIB,
    unit: "bytes",
    summary: "Those of one plugin's calls; beyond it a result is given up.",
    enforcedIn: "wrpc-server/held-bytes",
  },
} as const satisfies Record<string, FixedLimitRow>;
