/**
 * Every limit with its default and its range, in one table: the schemas, the code that enforces a limit and
 * docs/limits.md all come from it.
 *
 * @module
 */

const KIB = 1024;
const MIB = 1024 * KIB;

/** One limit of the table. */
export interface LimitRow {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly unit: "bytes" | "ms" | "count";
  /** What it bounds, and what happens beyond it. */
  readonly summary: string;
  /** Module that enforces it. */
  readonly enforcedIn: string;
}

/** Limits of one plugin. A policy file may set them; a consumer file sets other defaults for its plugins. */
export const PLUGIN_LIMITS = {
  payloadBytes: {
    default: 1 * MIB,
    min: 0,
    max: 16 * MIB,
    unit: "bytes",
    summary: "Payload of one request; beyond it the reply is payload-too-large.",
    enforcedIn: "consumer/request-handler",
  },
  replyBytes: {
    default: 1 * MIB,
    min: 0,
    max: 16 * MIB,
    unit: "bytes",
    summary: "Body of one reply; beyond it the reply is reply-too-large. The NATS server's max_payload bounds it too.",
    enforcedIn: "runner/calls, consumer/request-handler",
  },
  keyBytes: {
    default: 1 * KIB,
    min: 1,
    max: 8 * KIB,
    unit: "bytes",
    summary: "UTF-8 bytes of one key; beyond it the operation returns invalid-key.",
    enforcedIn: "broker/key-value",
  },
  valueBytes: {
    default: 15 * MIB,
    min: 0,
    max: 15 * MIB,
    unit: "bytes",
    summary: "One value in the key-value store; beyond it the operation returns value-too-large.",
    enforcedIn: "broker/key-value",
  },
  memoryBytes: {
    default: 64 * MIB,
    min: 64 * KIB,
    max: 4096 * MIB,
    unit: "bytes",
    summary: "Linear memory of one instance, all its memories together; beyond it memory.grow returns -1.",
    enforcedIn: "supervisor/runner-flags",
  },
  runnerMemoryBytes: {
    default: 1024 * MIB,
    min: 128 * MIB,
    max: 65_536 * MIB,
    unit: "bytes",
    summary:
      "Memory of one process of a plugin, all its instances together; beyond it the process is killed: memory-exceeded.",
    enforcedIn: "supervisor/memory-watch",
  },
  runners: {
    default: 16,
    min: 1,
    max: 64,
    unit: "count",
    summary:
      "Processes of one plugin, at most, and never more than the machine has processors; a further one is started only where one computes without a rest.",
    enforcedIn: "supervisor/runner-set",
  },
  idleMs: {
    default: 60_000,
    min: 100,
    max: 86_400_000,
    unit: "ms",
    summary: "How long a plugin's process without requests is kept; the next request starts it again.",
    enforcedIn: "supervisor/plugin-runner",
  },
  deadlineMs: {
    default: 5_000,
    min: 1,
    max: 600_000,
    unit: "ms",
    summary: "Longest time from a request's arrival to its reply; the caller's Rpc-Timeout-Ms may shorten it.",
    enforcedIn: "consumer/call",
  },
  concurrency: {
    default: 256,
    min: 1,
    max: 4_096,
    unit: "count",
    summary: "Requests of one plugin that a replica handles at a time; beyond it the reply is overloaded.",
    enforcedIn: "consumer/admission",
  },
  logBytes: {
    default: 64 * KIB,
    min: 0,
    max: 1 * MIB,
    unit: "bytes",
    summary: "UTF-8 bytes of log lines and output of one request; what comes after is dropped and counted.",
    enforcedIn: "runner/guest-log, broker/logging",
  },
  httpConcurrency: {
    default: 64,
    min: 1,
    max: 1_024,
    unit: "count",
    summary: "Outbound HTTP requests of one plugin under way at a time; beyond it: connection-limit-reached.",
    enforcedIn: "broker/http",
  },
  httpHeaderBytes: {
    default: 32 * KIB,
    min: 1 * KIB,
    max: 128 * KIB,
    unit: "bytes",
    summary:
      "Header fields of one outbound request, and those of its response; beyond it: HTTP-request-header-section-size, HTTP-response-header-section-size.",
    enforcedIn: "broker/http-request, egress/undici/exchange",
  },
  httpRequestBytes: {
    default: 16 * MIB,
    min: 0,
    max: 1024 * MIB,
    unit: "bytes",
    summary: "Body of one outbound request; beyond it: HTTP-request-body-size.",
    enforcedIn: "broker/http",
  },
  httpResponseBytes: {
    default: 16 * MIB,
    min: 0,
    max: 1024 * MIB,
    unit: "bytes",
    summary: "Body of one response, as it is on the wire; beyond it: HTTP-response-body-size.",
    enforcedIn: "broker/http",
  },
  httpFirstByteMs: {
    default: 10_000,
    min: 1,
    max: 600_000,
    unit: "ms",
    summary: "Time from the end of an outbound request to its response's first byte; beyond it: HTTP-response-timeout.",
    enforcedIn: "egress/undici/exchange",
  },
  httpTotalMs: {
    default: 30_000,
    min: 1,
    max: 600_000,
    unit: "ms",
    summary:
      "One outbound request from its start to its response's last byte; the request's deadline may end it earlier.",
    enforcedIn: "broker/http",
  },
} as const satisfies Record<string, LimitRow>;

/** Limits of one replica, set in the consumer file. */
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
    summary: "Time that accepted requests have to finish after SIGTERM; then they are answered with draining.",
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

/** One bound that no file changes. */
export interface FixedLimitRow {
  readonly value: number;
  readonly unit: LimitRow["unit"];
  readonly summary: string;
  readonly enforcedIn: string;
}

/** Bounds that no file changes. */
export const FIXED_LIMIT_ROWS = {
  componentBytes: {
    value: 32 * MIB,
    unit: "bytes",
    summary: "One component's file; a larger one is not read.",
    enforcedIn: "registry/plugin-source",
  },
  compileMs: {
    value: 60_000,
    unit: "ms",
    summary: "Time that the compiler has for one component; then it is killed: compile-failed.",
    enforcedIn: "supervisor/compiler-process",
  },
  artifactBytes: {
    value: 256 * MIB,
    unit: "bytes",
    summary: "All files of one artifact together; a larger one is compile-failed.",
    enforcedIn: "supervisor/compiler-process",
  },
  loadMs: {
    value: 10_000,
    unit: "ms",
    summary: "Time that a runner has to become ready; then it is killed: load-failed.",
    enforcedIn: "supervisor/runner-process",
  },
  probeMs: {
    value: 2_000,
    unit: "ms",
    summary: "Time that get-access-levels has to answer the probe; then the plugin is probe-failed.",
    enforcedIn: "supervisor/runner-process",
  },
  idleComputeMs: {
    value: 5_000,
    unit: "ms",
    summary: "How long a runner without requests may leave a ping unanswered; then it is killed.",
    enforcedIn: "supervisor/runner-process",
  },
  unresponsiveMs: {
    value: 200,
    unit: "ms",
    summary: "How long a runner may leave a ping unanswered once a request's deadline has passed; then it is killed.",
    enforcedIn: "supervisor/runner-process",
  },
  headerBytes: {
    value: 16 * KIB,
    unit: "bytes",
    summary: "All headers of one request together; beyond it the reply is bad-request.",
    enforcedIn: "consumer/request-headers",
  },
  memoryWatchMs: {
    value: 25,
    unit: "ms",
    summary: "How often the memory of a plugin's process is looked at while it works.",
    enforcedIn: "supervisor/memory-watch",
  },
  runnerBacklogBytes: {
    value: 128 * MIB,
    unit: "bytes",
    summary:
      "Bytes sent to a plugin's process that it has not read; beyond it requests are overloaded, and so are its reads.",
    enforcedIn: "supervisor/runner-process",
  },
  runnerValueBytes: {
    value: 128 * MIB,
    unit: "bytes",
    summary: "Values that a plugin's process has under way to the key-value store; beyond it a write is overloaded.",
    enforcedIn: "supervisor/runner-process",
  },
  circuitFailures: {
    value: 5,
    unit: "count",
    summary:
      "Times that a plugin's process ends within 10 s of its start, in a row, before its circuit opens: plugin-unavailable.",
    enforcedIn: "supervisor/plugin-runner",
  },
  storeOperationMs: {
    value: 10_000,
    unit: "ms",
    summary: "One operation of the key-value store, whatever is left of the request's deadline; then it is an error.",
    enforcedIn: "broker/broker, kv/operation",
  },
  storeBatchOperations: {
    value: 128,
    unit: "count",
    summary: "Values that are read or written together by one command to the key-value store; more go as several.",
    enforcedIn: "kv/fair-queue",
  },
  storeBatchBytes: {
    value: 4 * MIB,
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
  httpConnectMs: {
    value: 5_000,
    unit: "ms",
    summary: "Looking a name up, connecting and the TLS handshake of one outbound connection; then it is an error.",
    enforcedIn: "egress/undici/connector",
  },
  httpIdleMs: {
    value: 4_000,
    unit: "ms",
    summary: "How long an outbound connection without a request is kept.",
    enforcedIn: "egress/undici/client",
  },
  httpOrigins: {
    value: 256,
    unit: "count",
    summary: "Origins that one plugin has connections to at a time; beyond it: connection-limit-reached.",
    enforcedIn: "egress/undici/client",
  },
  httpRequests: {
    value: 1_024,
    unit: "count",
    summary: "Outbound HTTP requests that one request may make in all; beyond it: connection-limit-reached.",
    enforcedIn: "runner/guest-context, supervisor/call-ledger",
  },
  httpWindowBytes: {
    value: 64 * KIB,
    unit: "bytes",
    summary:
      "Body bytes of one outbound request, in each direction, between the host and a runner that has not taken them.",
    enforcedIn: "supervisor/http-exchanges, runner/guest-exchange",
  },
  logLines: {
    value: 1_024,
    unit: "count",
    summary: "Lines that one request may log or write, however short; what comes after is dropped and counted.",
    enforcedIn: "broker/logging",
  },
  logLinesPerSecond: {
    value: 5_000,
    unit: "count",
    summary:
      "Lines a second that all requests of one plugin may log or write together; the rest is dropped and counted.",
    enforcedIn: "broker/log-rate",
  },
  logBytesPerSecond: {
    value: 4 * MIB,
    unit: "bytes",
    summary: "UTF-8 bytes a second of these lines; the rest is dropped and counted.",
    enforcedIn: "broker/log-rate",
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
      "Private buckets, shared buckets and targets of outbound HTTP of one plugin that a replica counts each for itself; operations on further ones are counted together.",
    enforcedIn: "telemetry/target-counts",
  },
  configFileBytes: {
    value: 64 * KIB,
    unit: "bytes",
    summary: "One policy file; a larger one is config-invalid.",
    enforcedIn: "config/text-file",
  },
  consumerFileBytes: {
    value: 4 * MIB,
    unit: "bytes",
    summary: "One consumer file, which names every plugin of its group; a larger one is config-invalid.",
    enforcedIn: "config/text-file",
  },
  consumerPlugins: {
    value: 16_384,
    unit: "count",
    summary: "Plugins of one consumer file; more are config-invalid.",
    enforcedIn: "config/consumer-document",
  },
  watchedFiles: {
    value: 1_024,
    unit: "count",
    summary:
      "Files that are watched each for itself; beyond it the folders are watched that they are in, and a change elsewhere (behind a link) is seen by the regular look at all files.",
    enforcedIn: "registry/file-watcher",
  },
  configDepth: {
    value: 16,
    unit: "count",
    summary: "Lists and maps within each other in a consumer or policy file; deeper ones are config-invalid.",
    enforcedIn: "config/yaml-text",
  },
  policyFiles: {
    value: 16_384,
    unit: "count",
    summary: "Files in the policy folder; more are config-invalid.",
    enforcedIn: "config/policy-set",
  },
} as const satisfies Record<string, FixedLimitRow>;

/** The values of {@link FIXED_LIMIT_ROWS}. */
export const FIXED_LIMITS: { readonly [Name in keyof typeof FIXED_LIMIT_ROWS]: number } = valuesOf(FIXED_LIMIT_ROWS);

/** The limits of one plugin, every one with a value. */
export type PluginLimits = { readonly [Name in keyof typeof PLUGIN_LIMITS]: number };

/** The limits of one replica, every one with a value. */
export type ReplicaLimits = { readonly [Name in keyof typeof REPLICA_LIMITS]: number };

function defaultsOf<Table extends Record<string, LimitRow>>(table: Table): { readonly [Name in keyof Table]: number } {
  return Object.fromEntries(Object.entries(table).map(([name, row]) => [name, row.default])) as {
    [Name in keyof Table]: number;
  };
}

function valuesOf<Table extends Record<string, FixedLimitRow>>(
  table: Table,
): { readonly [Name in keyof Table]: number } {
  return Object.fromEntries(Object.entries(table).map(([name, row]) => [name, row.value])) as {
    [Name in keyof Table]: number;
  };
}

export const DEFAULT_PLUGIN_LIMITS: PluginLimits = defaultsOf(PLUGIN_LIMITS);
export const DEFAULT_REPLICA_LIMITS: ReplicaLimits = defaultsOf(REPLICA_LIMITS);
