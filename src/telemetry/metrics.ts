/**
 * The replica's metrics in Prometheus' text format. Nothing is kept here: each scrape reads the counters
 * that the parts of the host keep for themselves, so a request pays for none of it, and two replicas in one
 * process (in tests) share nothing.
 *
 * @module
 */

import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { DURATION_BUCKETS_MS, type PluginStats } from "./plugin-stats.ts";
import { registerProcessMetrics } from "./process-metrics.ts";

/** Where the numbers come from. */
export interface StatsSource {
  /** The statistics of every plugin that the replica serves or has served. */
  plugins(): Iterable<PluginStats>;
}

/** What a scrape answers. */
export interface Metrics {
  /** Value of the response's `content-type`. */
  readonly contentType: string;
  /** All metrics as of now. */
  render(): Promise<string>;
}

/** Creates the metrics of one replica over `source`. */
export function createMetrics(source: StatsSource): Metrics {
  const registry = new Registry();
  registerRequests(registry, source);
  registerPluginState(registry, source);
  registerStoreOperations(registry, source);
  registerHttpRequests(registry, source);
  registerProcessMetrics(registry);
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
  registry.registerMetric(new DurationMetric(source));
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
      help: "Processes that run now, by plugin.",
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
      help: "Times that a process of a plugin ended by itself.",
      labelNames: ["plugin"],
      registers: [],
      collect() {
        this.reset();
        for (const { plugin, runnerRestarts } of source.plugins()) this.inc({ plugin }, runnerRestarts);
      },
    }),
  );
}

function registerStoreOperations(registry: Registry, source: StatsSource): void {
  registry.registerMetric(
    new Counter({
      name: "network_host_kv_operations_total",
      help: "Operations on the key-value store, by plugin, operation and outcome.",
      labelNames: ["plugin", "operation", "outcome"],
      registers: [],
      collect() {
        this.reset();
        for (const { plugin, storeOperations } of source.plugins()) {
          for (const operation of ["get", "set"] as const) {
            for (const [outcome, count] of storeOperations[operation]) this.inc({ plugin, operation, outcome }, count);
          }
        }
      },
    }),
  );
}

function registerHttpRequests(registry: Registry, source: StatsSource): void {
  registry.registerMetric(
    new Counter({
      name: "network_host_http_requests_total",
      help: "Outbound HTTP requests, by plugin and outcome: ok (any response), aborted, or a case of wasi:http's error-code.",
      labelNames: ["plugin", "outcome"],
      registers: [],
      collect() {
        this.reset();
        for (const { plugin, httpRequests } of source.plugins()) {
          for (const [outcome, count] of httpRequests) this.inc({ plugin, outcome }, count);
        }
      },
    }),
  );
}

const DURATION_NAME = "network_host_request_duration_seconds";
const DURATION_HELP = "From a request's arrival to its reply, by plugin. Refused requests are not in it.";
const MS_PER_SECOND = 1_000;

/**
 * A histogram whose buckets are read at the scrape; prom-client's own can only be observed into. The registry
 * and the base class take a histogram's values from `getForPromString`.
 */
class DurationMetric extends Histogram<"plugin"> {
  readonly #source: StatsSource;

  constructor(source: StatsSource) {
    const buckets = DURATION_BUCKETS_MS.map((ms) => ms / MS_PER_SECOND);
    super({ name: DURATION_NAME, help: DURATION_HELP, labelNames: ["plugin"], buckets, registers: [] });
    this.#source = source;
  }

  async getForPromString(): Promise<HistogramSnapshot> {
    const values = [...this.#source.plugins()].flatMap((stats) => durationSamples(stats));
    return { name: DURATION_NAME, help: DURATION_HELP, type: "histogram", aggregator: "sum", values };
  }
}

/** A histogram as prom-client writes it. */
interface HistogramSnapshot {
  readonly name: string;
  readonly help: string;
  readonly type: "histogram";
  readonly aggregator: "sum";
  readonly values: readonly Sample[];
}

interface Sample {
  readonly metricName: string;
  readonly labels: { readonly le?: number | "+Inf" };
  readonly sharedLabels: { readonly plugin: string };
  readonly value: number;
}

function durationSamples(stats: PluginStats): Sample[] {
  const sharedLabels = { plugin: stats.plugin };
  const { counts, count, sumMs } = stats.durations();
  const bucket = (le: number | "+Inf", value: number): Sample => {
    return { metricName: `${DURATION_NAME}_bucket`, labels: { le }, sharedLabels, value };
  };
  let below = 0;
  const buckets = DURATION_BUCKETS_MS.map((boundMs, index) => {
    below += counts[index] ?? 0;
    return bucket(boundMs / MS_PER_SECOND, below);
  });
  return [
    ...buckets,
    bucket("+Inf", count),
    { metricName: `${DURATION_NAME}_sum`, labels: {}, sharedLabels, value: sumMs / MS_PER_SECOND },
    { metricName: `${DURATION_NAME}_count`, labels: {}, sharedLabels, value: count },
  ];
}
