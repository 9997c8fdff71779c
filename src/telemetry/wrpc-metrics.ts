/**
 * The metrics of wRPC connections. docs/metrics.md says what to do about each.
 *
 * @module
 */

import { Counter, Gauge } from "prom-client";
import { registerGauge } from "./gauge.ts";
import type { MetricsSection } from "./metrics.ts";
import type { WrpcStats } from "./wrpc-stats.ts";

/** The section of these metrics for {@link createMetrics}; each scrape reads `stats`. */
export function wrpcMetrics(stats: WrpcStats): MetricsSection {
  return (registry) => {
    registry.registerMetric(
      new Gauge({
        name: "network_host_wrpc_connections",
        help: "wRPC connections that are open, by plugin.",
        labelNames: ["plugin"],
        registers: [],
        collect() {
          this.reset();
          for (const { plugin, open } of stats.plugins) this.set({ plugin }, open);
        },
      }),
    );
    registry.registerMetric(
      new Counter({
        name: "network_host_wrpc_connections_ended_total",
        help: "wRPC connections that have ended, by plugin and outcome.",
        labelNames: ["plugin", "outcome"],
        registers: [],
        collect() {
          this.reset();
          for (const { plugin, ended } of stats.plugins)
            for (const [outcome, count] of ended) this.inc({ plugin, outcome }, count);
        },
      }),
    );
    registerGauge(
      registry,
      "network_host_wrpc_parameter_bytes",
      "Memory for parameters of wRPC calls that have arrived in part.",
      () => stats.parameterBytes,
    );
    registerGauge(
      registry,
      "network_host_wrpc_reply_bytes",
      "Bytes of wRPC results that their callers have not taken yet.",
      () => stats.replyBytes,
    );
  };
}
