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
    summary: "Lines that one request may log or write, however short; what comes after is dropped and counted.",
    enforcedIn: "runner/guest-log, broker/logging",
  },
  logLinesPerSecond: {
    value: 5_000,
    unit: "count",
    summary:
      "Lines a second that all requests of one plugin may log or write together, in each of its processes and over all of them; the rest is dropped and counted.",
    enforcedIn: "runner/guest-log, broker/logging",
  },
  logBytesPerSecond: {
    value: 4 * MIB,
    unit: "bytes",
    summary: "UTF-8 bytes a second of these lines; the rest is dropped and counted.",
    enforcedIn: "runner/guest-log, broker/logging",
  },
  heldReplyBytes: {
    value: 32 * MIB,
    unit: "bytes",
    summary:
      "Replies of a replica that wait until its connection to NATS is back; beyond it the oldest one of the plugin that holds most is given up, and counted as reply-no-room.",
    enforcedIn: "nats/reply-sender",
  },
  refusalsLoggedPerSecond: {
    value: 100,
    unit: "count",
    summary: "Records a second of requests of one plugin that were not admitted; all are counted in the metrics.",
    enforcedIn: "consumer/refusal-log",
  },
  usedTargets: {
    value: 64,
    unit: "count",
    summary:
      "Private buckets, shared buckets and targets of outbound HTTP of one plugin that a replica counts each for itself, and addresses of one target that it remembers; operations on further ones are counted together.",
    enforcedIn: "telemetry/target-counts",
  },
} as const satisfies Record<string, FixedLimitRow>;
