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
    summary: "One operation of the key-value store, whatever is left of the request's deadline; then it is an error.",
    enforcedIn: "capabilities/key-value/host/gate, kv/operation",
  },
  storeLookMs: {
    value: 1_000,
    unit: "ms",
    summary: "How long readiness waits for an answer of the key-value store.",
    enforcedIn: "kv/store-watch",
  },
  storeOwnWriteIntervalMs: {
    value: 10_000,
    unit: "ms",
    summary:
      "The host writes a value of its own at most so often, and only where a plugin may write and none has, to see whether the store takes writes.",
    enforcedIn: "kv/store-watch",
  },
  storeOwnWriteMs: {
    value: 3_000,
    unit: "ms",
    summary: "How long such a write may take; then the replica is not ready.",
    enforcedIn: "kv/store-watch",
  },
  storeBatchOperations: {
    value: 128,
    unit: "count",
    summary: "Values that are read or written together by one command to the key-value store; more go as several.",
    enforcedIn: "kv/fair-queue",
  },
  storeBatchBytes: {
    value: 1 * MIB,
    unit: "bytes",
    summary: "Keys and values of one command to the key-value store; a larger value goes alone.",
    enforcedIn: "kv/fair-queue",
  },
  storeBatches: {
    value: 8,
    unit: "count",
    summary: "Commands to MongoDB with reads, and as many with writes, under way at a time; beyond it operations wait.",
    enforcedIn: "kv/batch-queue",
  },
  storeBatchWaitMs: {
    value: 2,
    unit: "ms",
    summary: "How long an operation waits for the end of a command under way before it goes by another one beside it.",
    enforcedIn: "kv/batch-queue",
  },
  storeQueueOperations: {
    value: 1_024,
    unit: "count",
    summary: "Operations of one plugin that wait for such a command, of each kind; beyond it: store-unavailable.",
    enforcedIn: "kv/fair-queue",
  },
  storeQueueBytes: {
    value: 64 * MIB,
    unit: "bytes",
    summary: "Keys and values of one plugin's operations that wait; beyond it: store-unavailable.",
    enforcedIn: "kv/fair-queue",
  },
  storeQueueTotalBytes: {
    value: 256 * MIB,
    unit: "bytes",
    summary: "Keys and values of all operations that wait; beyond it: store-unavailable.",
    enforcedIn: "kv/fair-queue",
  },
} as const satisfies Record<string, FixedLimitRow>;
