/**
 * Bounds of a request and of what is recorded of requests: log lines, refusals, what was used.
 *
 * @module
 */

import { type FixedLimitRow, KIB, MIB } from "./limit-row.ts";

export const REQUEST_LIMIT_ROWS = {
  headerBytes: {
    value: 16 * KIB,
    unit: "bytes",
    summary: "All headers of one request together; beyond it the reply is bad-request.",
    enforcedIn: "consumer/decode",
  },
  logLines: {
    value: 1_024,
    unit: "count",
    summary: "Lines that one request may log or write, however short; the rest is dropped and counted.",
    enforcedIn: "runner/guest/guest-log, capabilities/logging/host",
  },
  logLinesPerSecond: {
    value: 5_000,
    unit: "count",
    summary:
      "Lines per second that all requests of one plugin may log or write, in each of its processes and in all of them together; the rest is dropped and counted.",
    enforcedIn: "runner/guest/guest-log, capabilities/logging/host",
  },
  logBytesPerSecond: {
    value: 4 * MIB,
    unit: "bytes",
    summary: "UTF-8 bytes per second of these lines; the rest is dropped and counted.",
    enforcedIn: "runner/guest/guest-log, capabilities/logging/host",
  },
  heldReplyBytes: {
    value: 32 * MIB,
    unit: "bytes",
    summary:
      "Replies that a replica holds until its connection to NATS is back. Beyond it, the plugin that holds most loses its oldest reply, which is counted as reply-no-room.",
    enforcedIn: "nats/reply-sender",
  },
  refusalsLoggedPerSecond: {
    value: 100,
    unit: "count",
    summary: "Log records per second of one plugin's requests that were not admitted; the metrics count them all.",
    enforcedIn: "consumer/refusal-log",
  },
  usedTargets: {
    value: 64,
    unit: "count",
    summary:
      "Private buckets, shared buckets and HTTP targets of one plugin that a replica counts individually, and addresses of one target that it remembers; it counts operations on any others together.",
    enforcedIn: "telemetry/target-counts",
  },
} as const satisfies Record<string, FixedLimitRow>;
