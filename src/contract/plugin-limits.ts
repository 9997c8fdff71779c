/**
 * Limits of one plugin. A policy file may set them; a consumer file sets other defaults for its plugins.
 *
 * @module
 */

import { defaultsOf, KIB, type LimitRow, MIB } from "./limit-row.ts";

export const PLUGIN_LIMITS = {
  payloadBytes: {
    default: 1 * MIB,
    min: 0,
    max: 16 * MIB,
    unit: "bytes",
    summary: "Payload of one request; beyond it, the reply is payload-too-large.",
    enforcedIn: "consumer/request-handler",
  },
  replyBytes: {
    default: 1 * MIB,
    min: 0,
    max: 16 * MIB,
    unit: "bytes",
    summary: "Body of one reply; beyond it the reply is reply-too-large. The NATS server's max_payload bounds it too.",
    enforcedIn: "runner/calls, consumer/reply",
  },
  keyBytes: {
    default: 1 * KIB,
    min: 1,
    max: 8 * KIB,
    unit: "bytes",
    summary: "UTF-8 bytes of one key; beyond it the operation returns invalid-key.",
    enforcedIn: "capabilities/key-value/host/address",
  },
  valueBytes: {
    default: 1 * MIB,
    min: 0,
    max: 15 * MIB,
    unit: "bytes",
    summary: "One value in the key-value store; beyond it the operation returns value-too-large.",
    enforcedIn: "capabilities/key-value/host/address",
  },
  memoryBytes: {
    default: 64 * MIB,
    min: 64 * KIB,
    max: 4096 * MIB,
    unit: "bytes",
    summary:
      "Linear memory of one instance, all its memories together; beyond it memory.grow returns -1. Also all objects that V8 collects in one process; beyond that, memory-exceeded.",
    enforcedIn: "supervisor/process/runner-flags",
  },
  runnerMemoryBytes: {
    default: 1024 * MIB,
    min: 128 * MIB,
    max: 65_536 * MIB,
    unit: "bytes",
    summary:
      "Memory of one process of a plugin, all its instances together; beyond it the process is killed: memory-exceeded.",
    enforcedIn: "supervisor/process/memory-watch",
  },
  runners: {
    default: 16,
    min: 1,
    max: 64,
    unit: "count",
    summary:
      "Most processes of one plugin, and never more than the machine has processors. Another one starts only if those running compute without pausing.",
    enforcedIn: "supervisor/process-pool/runner-set",
  },
  idleMs: {
    default: 60_000,
    min: 100,
    max: 86_400_000,
    unit: "ms",
    summary: "How long the host keeps a plugin's process that has no requests; the next request starts it again.",
    enforcedIn: "supervisor/process-pool/plugin-runner",
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
    summary: "UTF-8 bytes of log lines and output of one request; the rest is dropped and counted.",
    enforcedIn: "runner/guest/guest-log, capabilities/logging/host",
  },
  httpConcurrency: {
    default: 64,
    min: 1,
    max: 1_024,
    unit: "count",
    summary: "Outbound HTTP requests of one plugin in flight at a time; beyond it: connection-limit-reached.",
    enforcedIn: "capabilities/outbound-http/host/gate",
  },
  httpHeaderBytes: {
    default: 32 * KIB,
    min: 1 * KIB,
    max: 128 * KIB,
    unit: "bytes",
    summary:
      "Header fields of one outbound request, and those of its response; beyond it: HTTP-request-header-section-size, HTTP-response-header-section-size.",
    enforcedIn: "capabilities/outbound-http/host/http-request, egress/undici/exchange",
  },
  httpRequestBytes: {
    default: 16 * MIB,
    min: 0,
    max: 1024 * MIB,
    unit: "bytes",
    summary: "Body of one outbound request; beyond it: HTTP-request-body-size.",
    enforcedIn: "capabilities/outbound-http/host/gate",
  },
  httpResponseBytes: {
    default: 16 * MIB,
    min: 0,
    max: 1024 * MIB,
    unit: "bytes",
    summary: "Body of one response, as it is on the wire; beyond it: HTTP-response-body-size.",
    enforcedIn: "capabilities/outbound-http/host/gate",
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
    enforcedIn: "capabilities/outbound-http/host/gate",
  },
} as const satisfies Record<string, LimitRow>;

/** The limits of one plugin, every one with a value. */
export type PluginLimits = { readonly [Name in keyof typeof PLUGIN_LIMITS]: number };

export const DEFAULT_PLUGIN_LIMITS: PluginLimits = defaultsOf(PLUGIN_LIMITS);
