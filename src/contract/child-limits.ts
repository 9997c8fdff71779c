/**
 * Bounds of the host's child processes: what a component may be, what a compiler and a runner may take.
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
      "Time on a processor that a runner has to become ready, and a third of the time that it may take where others keep it from one; then it is killed: plugin-unloadable, or load-failed.",
    enforcedIn: "supervisor/process/runner-process",
  },
  probeMs: {
    value: 2_000,
    unit: "ms",
    summary:
      "Time on a processor that get-access-levels has to answer the probe, and a third of the time that it may take where others keep it from one; then it is killed: probe-failed, or load-failed.",
    enforcedIn: "supervisor/process/runner-probes",
  },
  idleComputeMs: {
    value: 5_000,
    unit: "ms",
    summary: "How long a runner without requests may leave a ping unanswered; then it is killed.",
    enforcedIn: "supervisor/process/runner-protocol",
  },
  unresponsiveMs: {
    value: 200,
    unit: "ms",
    summary:
      "Time on a processor for which a runner may leave a ping unanswered once a request's deadline has passed; then it is killed.",
    enforcedIn: "supervisor/process/signs-of-life",
  },
  silentMs: {
    value: 10_000,
    unit: "ms",
    summary:
      "How much longer a runner's answer to a ping is waited for where the runner had no processor to give it on; then it is killed.",
    enforcedIn: "supervisor/process/signs-of-life",
  },
  instanceMs: {
    value: 50,
    unit: "ms",
    summary:
      "Time on a processor that the making of an instance for a request may take without counting as the plugin's own.",
    enforcedIn: "supervisor/process/making-allowance",
  },
  memoryWatchMs: {
    value: 25,
    unit: "ms",
    summary: "How often the memory of a plugin's process is looked at while it works.",
    enforcedIn: "supervisor/process/memory-watch",
  },
  runnerBacklogBytes: {
    value: 128 * MIB,
    unit: "bytes",
    summary:
      "Bytes sent to a plugin's process that it has not read; beyond it requests are overloaded, and so are its reads.",
    enforcedIn: "supervisor/process/runner-protocol, capabilities/key-value/host/link",
  },
  runnerWriteBytes: {
    value: 2 * MIB,
    unit: "bytes",
    summary:
      "Values that a plugin's process has on their way to the store; beyond it writes wait. A larger one goes alone.",
    enforcedIn: "capabilities/key-value/guest/link",
  },
  runnerValueBytes: {
    value: 32 * MIB,
    unit: "bytes",
    summary:
      "The same as the host counts them, of a process that does not keep to it; beyond it a write is overloaded.",
    enforcedIn: "capabilities/key-value/host/link",
  },
  runnerReadBytes: {
    value: 8 * MIB,
    unit: "bytes",
    summary: "What reads of a plugin's process under way may bring, as far as can be foreseen; beyond it reads wait.",
    enforcedIn: "capabilities/key-value/host/read-window",
  },
  circuitFailures: {
    value: 5,
    unit: "count",
    summary:
      "Times that a plugin's process ends within 10 s of its start, in a row, before its circuit opens: plugin-unavailable.",
    enforcedIn: "supervisor/process-pool/plugin-runner",
  },
} as const satisfies Record<string, FixedLimitRow>;
