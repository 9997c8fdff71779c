/**
 * What a replica serves to the tools that monitor it: health and metrics over HTTP, from the beginning of its start on.
 * Health reports the parts that are not open yet as not ready.
 *
 * @module
 */

import type { ReplicaParts } from "./app-parts.ts";
import { natsReadiness } from "./app-nats.ts";
import { loadSource, pluginReadiness } from "./app-plugins.ts";
import { type Readiness, type ReadinessCheck, startHealthServer } from "./telemetry/health-server.ts";
import { loadMetrics } from "./telemetry/load-metrics.ts";
import { createMetrics, type Metrics } from "./telemetry/metrics.ts";
import { natsMetrics } from "./telemetry/nats-metrics.ts";
import { replicaMetrics } from "./telemetry/replica-metrics.ts";
import { wrpcMetrics } from "./telemetry/wrpc-metrics.ts";
import { programVersion } from "./version.ts";

/** Starts the health server where the options have an address for it. */
export async function openHealth(parts: ReplicaParts): Promise<void> {
  const { options, logger, closing } = parts;
  const { health } = options;
  if (health === undefined) return;
  const server = await startHealthServer({
    ...health,
    readiness: () => readinessOf(parts),
    metrics: metricsOf(parts),
    failed: (error) => logger.error({ err: error }, "the health server could not answer"),
  });
  closing.own("the health server", server);
  logger.info({ url: server.url }, "health and metrics are served");
}

function metricsOf({ open, reader, counters, output, cacheSize }: ReplicaParts): Metrics {
  const plugins = () => Array.from(open.registry?.slots.values() ?? [], (slot) => slot.stats);
  const unusableFiles = () => reader.unusableFiles;
  return createMetrics({ plugins, storeBatches: counters.storeBatches, unusableFiles }, [
    replicaMetrics({
      version: programVersion(),
      storeUp: () => open.store?.watch.state.kind === "up",
      droppedLogRecords: () => output.dropped,
      cacheBytes: () => cacheSize.bytes,
      cacheFallenBack: () => open.cache?.isFallenBack ?? false,
    }),
    natsMetrics(counters.nats),
    wrpcMetrics(counters.wrpc),
    loadMetrics(loadSource(() => open.registry)),
  ]);
}

/** Whether the replica can serve at this moment, part by part. */
export async function readinessOf({ open, stopping }: ReplicaParts): Promise<Readiness> {
  const life = stopping.signal.aborted ? "draining" : "running";
  const store = await open.store?.watch.look();
  return {
    ...natsReadiness(open.serving?.link, life),
    store: check(store?.kind === "up", store?.kind === "down" ? store.reason : "not open"),
    plugins: pluginReadiness(open.registry),
  };
}

function check(ready: boolean, reason: string): ReadinessCheck {
  return ready ? { ready } : { ready, reason };
}
