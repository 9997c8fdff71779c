/**
 * The metrics of a replica's connection to NATS. docs/metrics.md says what to do about each.
 *
 * @module
 */

import { Counter, Gauge, type Registry } from "prom-client";
import type { MetricsSection } from "./metrics.ts";
import type { NatsStats, NatsView } from "./nats-stats.ts";
import { MS_PER_SECOND } from "../contract/time-units.ts";

/** The section of these metrics for {@link createMetrics}; each scrape reads `stats`. */
export function natsMetrics(stats: NatsStats): MetricsSection {
  return (registry) => {
    registerGauges(registry, stats);
    registerCounters(registry, stats);
  };
}

function registerGauges(registry: Registry, stats: NatsStats): void {
  const gauge = (name: string, help: string, read: (view: NatsView | undefined) => number): void =>
    registry.registerMetric(
      new Gauge({
        name,
        help,
        registers: [],
        collect() {
          this.set(read(stats.view));
        },
      }),
    );
  gauge("network_host_nats_connected", "1 while the replica is connected to NATS.", (view) =>
    view?.isConnected === true ? 1 : 0,
  );
  gauge(
    "network_host_nats_delivering",
    "1 while the connection to NATS answers round trips; 0 where it is up and says nothing, too.",
    (view) => (view?.isDelivering === true ? 1 : 0),
  );
  gauge(
    "network_host_nats_round_trip_seconds",
    "The last round trip to the NATS server and back. It grows where the replica reads more slowly than messages come.",
    (view) => (view?.roundTripMs ?? 0) / MS_PER_SECOND,
  );
  gauge(
    "network_host_nats_held_replies",
    "Replies that wait until the connection to NATS is back.",
    (view) => view?.heldReplies ?? 0,
  );
  gauge("network_host_nats_held_reply_bytes", "Bytes of the replies that wait.", (view) => view?.heldReplyBytes ?? 0);
  registry.registerMetric(
    new Gauge({
      name: "network_host_nats_subscriptions",
      help: "Subjects that the replica listens on, by state: held by the server, asked for, or refused by it.",
      labelNames: ["state"],
      registers: [],
      collect() {
        const counts = stats.view?.subscriptionCounts() ?? { asked: 0, held: 0, refused: 0 };
        for (const [state, count] of Object.entries(counts)) this.set({ state }, count);
      },
    }),
  );
}

function registerCounters(registry: Registry, stats: NatsStats): void {
  const counter = (name: string, help: string, read: () => number): void =>
    registry.registerMetric(
      new Counter({
        name,
        help,
        registers: [],
        collect() {
          this.reset();
          this.inc(read());
        },
      }),
    );
  counter("network_host_nats_reconnects_total", "Times that a lost connection came back.", () => stats.reconnects);
  counter(
    "network_host_nats_slow_consumer_total",
    "Times that the NATS server ended the connection because the client read too slowly, whether it gave that reason or none.",
    () => stats.slowConsumers,
  );
  counter(
    "network_host_nats_callback_errors_total",
    "Failures of the host's own code while it took a message or an event of the connection; each is a bug.",
    () => stats.callbackErrors,
  );
  counter(
    "network_host_nats_unconfirmed_replies_total",
    "Replies handed to a connection that broke before the server had confirmed anything behind them; some may be lost.",
    () => stats.unconfirmedReplies,
  );
  registry.registerMetric(
    new Counter({
      name: "network_host_nats_permission_errors_total",
      help: "Refusals of the NATS server for lack of permission, by operation: publish or subscription.",
      labelNames: ["operation"],
      registers: [],
      collect() {
        this.reset();
        for (const operation of ["publish", "subscription"] as const) {
          this.inc({ operation }, stats.permissionErrors.get(operation) ?? 0);
        }
      },
    }),
  );
}
