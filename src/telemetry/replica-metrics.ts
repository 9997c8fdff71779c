/**
 * Metrics of the replica as a whole: what it is, its store, its log and its cache.
 *
 * @module
 */

import { Counter, Gauge, type Registry } from "prom-client";
import { registerGauge } from "./gauge.ts";
import type { MetricsSection } from "./metrics.ts";

/** The sources of the numbers. */
export interface ReplicaFacts {
  /** This program's version. */
  readonly version: string;
  /** Did the store accept what the plugins may do, at the last check? */
  storeUp(): boolean;
  /** Log records that were not written, by reason. */
  droppedLogRecords(): Readonly<Record<string, number>>;
  /** Bytes in the artifact cache; `undefined` before the first measurement. */
  cacheBytes(): number | undefined;
  /** Do newly compiled components go to a temporary folder? */
  cacheFallenBack(): boolean;
}

/** The section of these metrics for {@link createMetrics}. */
export function replicaMetrics(facts: ReplicaFacts): MetricsSection {
  return (registry) => {
    registerBuild(registry, facts.version);
    registerDroppedRecords(registry, facts);
    registerGauge(
      registry,
      "network_host_store_up",
      "1 if the key-value store takes what the plugins may do, else 0; as last seen, some seconds ago at most.",
      () => (facts.storeUp() ? 1 : 0),
    );
    registerGauge(
      registry,
      "network_host_cache_bytes",
      "Bytes in the folder of compiled components, as measured some minutes ago at most.",
      () => facts.cacheBytes(),
    );
    registerGauge(
      registry,
      "network_host_cache_fallback",
      "1 if the cache folder cannot be written and components are compiled into a temporary folder, else 0; as last tried.",
      () => (facts.cacheFallenBack() ? 1 : 0),
    );
  };
}

function registerBuild(registry: Registry, version: string): void {
  const gauge = new Gauge({
    name: "network_host_build_info",
    help: "Always 1; its labels say what runs: the version of network-host and that of Node.",
    labelNames: ["version", "node"],
    registers: [],
  });
  gauge.set({ version, node: process.versions.node }, 1);
  registry.registerMetric(gauge);
}

function registerDroppedRecords(registry: Registry, facts: ReplicaFacts): void {
  registry.registerMetric(
    new Counter({
      name: "network_host_log_records_dropped_total",
      help: "Log records that were not written, by reason: slow-reader, write-failed.",
      labelNames: ["reason"],
      registers: [],
      collect() {
        this.reset();
        for (const [reason, count] of Object.entries(facts.droppedLogRecords())) this.inc({ reason }, count);
      },
    }),
  );
}
