/**
 * Bounds of the key-value store: its operations, their batches and what waits for them.
 *
 * @module
 */

import { type FixedLimitRow, MIB } from "./limit-row.ts";

export const STORE_LIMIT_ROWS = {
  storeOperationMs: {
    value: 10_000,
    unit: "ms",
    summary:
      "One operation on the key-value store, however much of the request's deadline remains; then it is an error.",
    enforcedIn: "capabilities/key-value/host/gate, kv/operation",
  },
  storeLookMs: {
    value: 1_000,
    unit: "ms",
    summary: "How long the readiness check waits for the key-value store.",
    enforcedIn: "kv/store-watch",
  },
  storeOwnWriteIntervalMs: {
    value: 10_000,
    unit: "ms",
    summary:
      "Least time between two test writes of the host, which show whether the store takes writes. The host makes one only if a plugin may write and none has lately.",
    enforcedIn: "kv/store-watch",
  },
  storeOwnWriteMs: {
    value: 3_000,
    unit: "ms",
    summary: "How long such a write may take before the replica counts as not ready.",
    enforcedIn: "kv/store-watch",
  },
  storeBatchOperations: {
    value: 128,
    unit: "count",
    summary: "Values that one command to the key-value store reads or writes; more values take several commands.",
    enforcedIn: "kv/fair-queue",
  },
  storeBatchBytes: {
    value: 1 * MIB,
    unit: "bytes",
    summary: "Bytes of keys and values in one command to the key-value store; a larger value is sent alone.",
    enforcedIn: "kv/fair-queue",
  },
  storeBatches: {
    value: 8,
    unit: "count",
    summary: "Read commands to MongoDB in flight at a time, and as many write commands; beyond it, operations wait.",
    enforcedIn: "kv/batch-queue",
  },
  storeBatchWaitMs: {
    value: 2,
    unit: "ms",
    summary: "How long an operation waits for a command in flight to end before another command carries it.",
    enforcedIn: "kv/batch-queue",
  },
  storeQueueOperations: {
    value: 1_024,
    unit: "count",
    summary:
      "Operations of one plugin that wait for a command, for reads and for writes each; beyond it: store-unavailable.",
    enforcedIn: "kv/fair-queue",
  },
  storeQueueBytes: {
    value: 64 * MIB,
    unit: "bytes",
    summary: "Bytes of keys and values of one plugin's waiting operations; beyond it: store-unavailable.",
    enforcedIn: "kv/fair-queue",
  },
  storeQueueTotalBytes: {
    value: 256 * MIB,
    unit: "bytes",
    summary: "Bytes of keys and values of all waiting operations; beyond it: store-unavailable.",
    enforcedIn: "kv/fair-queue",
  },
} as const satisfies Record<string, FixedLimitRow>;
