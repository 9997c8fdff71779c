/**
 * Limits of the host's child processes: compiler and runners.
 *
 * @module
 */

import { type FixedLimitRow, MIB } from "./limit-row.ts";

export const CHILD_LIMIT_ROWS = {
  artifactBytes: {
    value: 256 * MIB,
    unit: "bytes",
    summary: "All files of one artifact together; a larger one is compile-failed.",
    enforcedIn: "supervisor/compilation/compiler-process",
  },
  loadMs: {
    value: 10_000,
    unit: "ms",
    summary:
      "CPU time within which a runner must become ready. Where other processes keep it from a processor, three times as much time may pass. Beyond it, the runner is killed: plugin-unloadable, or load-failed.",
    enforcedIn: "supervisor/process/runner-process",
  },
  probeMs: {
    value: 2_000,
    unit: "ms",
    summary:
      "CPU time within which get-access-levels must answer the probe; then its runner is killed: probe-failed. Where other processes keep it from a processor, three times as much time may pass; then it is stopped: load-failed, and tried again.",
    enforcedIn: "supervisor/process/runner-probes",
  },
  idleComputeMs: {
    value: 5_000,
    unit: "ms",
    summary:
      "How long a guest may compute in a runner without requests, to make an instance; then it is stopped. A runner that leaves a ping unanswered for as long is killed.",
    enforcedIn: "supervisor/process/runner-protocol",
  },
  unresponsiveMs: {
    value: 200,
    unit: "ms",
    summary:
      "CPU time for which a runner may leave a ping unanswered once a request's deadline has passed; then it is killed.",
    enforcedIn: "supervisor/process/signs-of-life",
  },
  silentMs: {
    value: 10_000,
    unit: "ms",
    summary:
      "How much longer the host waits for a runner's answer to a ping if the runner got no processor time; then the runner is killed.",
    enforcedIn: "supervisor/process/signs-of-life",
  },
  instanceMs: {
    value: 50,
    unit: "ms",
    summary: "CPU time that making an instance for a request may take without counting as the plugin's own.",
    enforcedIn: "supervisor/process/making-allowance",
  },
  memoryWatchMs: {
    value: 25,
    unit: "ms",
    summary: "How often the host measures the memory of a plugin's process while it works.",
    enforcedIn: "supervisor/process/memory-watch",
  },
  runnerBacklogBytes: {
    value: 128 * MIB,
    unit: "bytes",
    summary:
      "Bytes sent to a plugin's process that it has not read; beyond it, its requests and its reads from the store get overloaded.",
    enforcedIn: "supervisor/process/runner-protocol, capabilities/key-value/host/link",
  },
  runnerWriteBytes: {
    value: 2 * MIB,
    unit: "bytes",
    summary:
      "Values that a plugin's process is sending to the store; beyond it, writes wait. A larger value is sent alone.",
    enforcedIn: "capabilities/key-value/guest/link",
  },
  runnerValueBytes: {
    value: 32 * MIB,
    unit: "bytes",
    summary:
      "The same values as the host counts them, in case a process exceeds its own bound; beyond it, a write gets overloaded.",
    enforcedIn: "capabilities/key-value/host/link",
  },
  runnerReadBytes: {
    value: 8 * MIB,
    unit: "bytes",
    summary:
      "Bytes that the reads in flight of a plugin's process may return, as far as the host can predict; beyond it, reads wait.",
    enforcedIn: "capabilities/key-value/host/read-window",
  },
  circuitFailures: {
    value: 5,
    unit: "count",
    summary:
      "How many times in a row a plugin's process may end within 10 s of its start before its circuit opens: plugin-unavailable.",
    enforcedIn: "supervisor/process-pool/plugin-runner",
  },
} as const satisfies Record<string, FixedLimitRow>;
