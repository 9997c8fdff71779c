/**
 * Gauges that are read at the scrape.
 *
 * @module
 */

import { Gauge, type Registry } from "prom-client";

/** Adds a gauge without labels. Where `read` returns `undefined`, the scrape leaves the gauge out. */
export function registerGauge(registry: Registry, name: string, help: string, read: () => number | undefined): void {
  registry.registerMetric(
    new Gauge({
      name,
      help,
      registers: [],
      collect() {
        const value = read();
        if (value === undefined) this.remove();
        else this.set(value);
      },
    }),
  );
}
