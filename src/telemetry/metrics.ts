/**
 * The replica's metrics in Prometheus' text format. This module keeps no counts: each scrape reads the counters that
 * the parts of the host keep. So requests pay nothing for it, and two replicas in one process (in tests) share nothing.
 *
 * @module
 */

import { Counter, Gauge, Registry } from "prom-client";
import { CAPABILITIES } from "../capabilities/capabilities.ts";
import type { CapabilityCounter } from "../capabilities/capability.ts";
import { BATCH_BYTES, BATCH_OPERATIONS, type BatchStats } from "./batch-stats.ts";
import { HistogramMetric } from "./histogram-metric.ts";
import { DURATION_BUCKETS_MS, type PluginStats } from "./plugin-stats.ts";
import { registerProcessMetrics } from "./process-metrics.ts";
import { MS_PER_SECOND } from "../contract/time-units.ts";

/** The sources of the numbers. */
export interface StatsSource {
  /** The statistics of every plugin that the replica serves or has served. */
  plugins(): Iterable<PluginStats>;
  readonly storeBatches: BatchStats;
  /** How many files of the configuration cannot be used as they are now. */
  unusableFiles(): number;
}

/** The content of a scrape's response. */
export interface Metrics {
  /** Value of the response's `content-type`. */
  readonly contentType: string;
  /** All metrics as of now. */
  render(): Promise<string>;
}

/** Adds the metrics of a part of the host to a registry. */
export type MetricsSection = (registry: Registry) => void;

/** Creates the metrics of one replica: those of `source`, and those of each section. */
export function createMetrics(source: StatsSource, sections: readonly MetricsSection[] = []): Metrics {
  const registry = new Registry();
  registerRequests(registry, source);
  registerPluginState(registry, source);
  registerConfiguration(registry, source);
  registerOperations(registry, source);
  registerStoreBatches(registry, source);
  registerProcessMetrics(registry);
  for (const section of sections) section(registry);
  return { contentType: registry.contentType, render: () => registry.metrics() };
}

function registerRequests(registry: Registry, source: StatsSource): void {
  registry.registerMetric(
    new Counter({
      name: "network_host_requests_total",
      help: "Requests answered, by plugin and outcome: ok, or a code of the error table.",
      labelNames: ["plugin", "outcome"],
      registers: [],
      collect() {
        this.reset();
        for (const { plugin, outcomes } of source.plugins()) {
          for (const [outcome, count] of outcomes) this.inc({ plugin, outcome }, count);
        }
      },
    }),
  );
  registry.registerMetric(
    new Counter({
      name: "network_host_dropped_messages_total",
      help: "Messages given up without a reply, by plugin and reason.",
      labelNames: ["plugin", "reason"],
      registers: [],
      collect() {
        this.reset();
        for (const { plugin, drops } of source.plugins()) {
          for (const [reason, count] of drops) this.inc({ plugin, reason }, count);
        }
      },
    }),
  );
  registry.registerMetric(
    new HistogramMetric({
      name: "network_host_request_duration_seconds",
      help: "From a request's arrival to its reply, by plugin. Refused requests are not in it.",
      labelNames: ["plugin"],
      bounds: DURATION_BUCKETS_MS,
      unit: MS_PER_SECOND,
      read: () =>
        [...source.plugins()].map((stats) => ({ labels: { plugin: stats.plugin }, values: stats.durations() })),
    }),
  );
}

function registerPluginState(registry: Registry, source: StatsSource): void {
  registry.registerMetric(
    new Gauge({
      name: "network_host_in_flight",
      help: "Requests admitted and not answered yet, by plugin.",
      labelNames: ["plugin"],
      registers: [],
      collect() {
        this.reset();
        for (const { plugin, inFlight } of source.plugins()) this.set({ plugin }, inFlight);
      },
    }),
  );
  registry.registerMetric(
    new Gauge({
      name: "network_host_runners",
      help: "Processes that are running, by plugin.",
      labelNames: ["plugin"],
      registers: [],
      collect() {
        this.reset();
        for (const { plugin, runners } of source.plugins()) if (runners > 0) this.set({ plugin }, runners);
      },
    }),
  );
  registry.registerMetric(
    new Counter({
      name: "network_host_runner_starts_total",
      help: "Processes started, by plugin and reason: load, request (the plugin was cold), busy (one more). Restarts are not in it.",
      labelNames: ["plugin", "reason"],
      registers: [],
      collect() {
        this.reset();
        for (const { plugin, runnerStarts } of source.plugins()) {
          for (const [reason, count] of runnerStarts) this.inc({ plugin, reason }, count);
        }
      },
    }),
  );
  registry.registerMetric(
    new Counter({
      name: "network_host_runner_restarts_total",
      help: "Times that a process of a plugin ended unexpectedly.",
      labelNames: ["plugin"],
      registers: [],
      collect() {
        this.reset();
        for (const { plugin, runnerRestarts } of source.plugins()) this.inc({ plugin }, runnerRestarts);
      },
    }),
  );
}

function registerConfiguration(registry: Registry, source: StatsSource): void {
  registry.registerMetric(
    new Gauge({
      name: "network_host_unusable_files",
      help: "Consumer and policy files that cannot be used as they are; the last valid content of each is in force.",
      registers: [],
      collect() {
        this.set(source.unusableFiles());
      },
    }),
  );
  registry.registerMetric(
    new Counter({
      name: "network_host_narrowings_total",
      help: "Changes of policy or limits that took something away from a plugin, by plugin.",
      labelNames: ["plugin"],
      registers: [],
      collect() {
        this.reset();
        for (const { plugin, narrowings } of source.plugins()) this.inc({ plugin }, narrowings);
      },
    }),
  );
}

/** Adds one counter for each capability that counts its operations. */
function registerOperations(registry: Registry, source: StatsSource): void {
  for (const { name, counter } of CAPABILITIES)
    if (counter !== undefined) registerCounter(registry, source, name, counter);
}

function registerCounter(
  registry: Registry,
  source: StatsSource,
  capability: string,
  counter: CapabilityCounter,
): void {
  const { name, help, hasOperationLabel } = counter;
  registry.registerMetric(
    new Counter({
      name,
      help,
      labelNames: ["plugin", ...(hasOperationLabel ? ["operation"] : []), "outcome"],
      registers: [],
      collect() {
        this.reset();
        for (const stats of source.plugins()) {
          for (const [operation, outcomes] of stats.operationsOf(capability)) {
            const labels = { plugin: stats.plugin, ...(hasOperationLabel && { operation }) };
            for (const [outcome, count] of outcomes) this.inc({ ...labels, outcome }, count);
          }
        }
      },
    }),
  );
}

function registerStoreBatches(registry: Registry, { storeBatches }: StatsSource): void {
  const register = (name: string, help: string, of: "operations" | "bytes", bounds: readonly number[]): void => {
    const read = () =>
      (["get", "set"] as const).map((operation) => ({
        labels: { operation },
        values: storeBatches.sizes[operation][of].values(),
      }));
    registry.registerMetric(new HistogramMetric({ name, help, labelNames: ["operation"], bounds, unit: 1, read }));
  };
  register(
    "network_host_kv_batch_operations",
    "Operations that one command to the key-value store answered, over all plugins and the host itself.",
    "operations",
    BATCH_OPERATIONS,
  );
  register(
    "network_host_kv_batch_bytes",
    "Bytes of the keys and values of one command to the key-value store, written or read.",
    "bytes",
    BATCH_BYTES,
  );
}
