/**
 * The metrics of what a replica has loaded: the states of its plugins, refused versions, and the time of the last read
 * of its files without an error. docs/metrics.md says what to do about each.
 *
 * @module
 */

import { Gauge } from "prom-client";
import type { ErrorCode } from "../errors/table.ts";
import type { MetricsSection } from "./metrics.ts";
import { MS_PER_SECOND } from "../contract/time-units.ts";

/** The state of a plugin. */
export interface LoadedPlugin {
  readonly plugin: string;
  readonly state: "loading" | "granted" | "denied" | "failed" | "unloadable";
  /** Why a newer version is refused while an older one serves. */
  readonly refused: ErrorCode | undefined;
}

/** How the last read of the configuration went. */
export interface Reload {
  readonly isGood: boolean;
  /** When the last good read was, on the clock of `Date.now()`. */
  readonly lastGoodMs: number | undefined;
}

export interface LoadSource {
  plugins(): Iterable<LoadedPlugin>;
  reload(): Reload;
}

/** The section of these metrics for `createMetrics`; each scrape reads `source`. */
export function loadMetrics(source: LoadSource): MetricsSection {
  return (registry) => {
    registry.registerMetric(
      new Gauge({
        name: "network_host_plugin_state",
        help: "1 for the state that a plugin is in: loading, granted, denied, failed (tried again) or unloadable.",
        labelNames: ["plugin", "state"],
        registers: [],
        collect() {
          this.reset();
          for (const { plugin, state } of source.plugins()) this.set({ plugin, state }, 1);
        },
      }),
    );
    registry.registerMetric(
      new Gauge({
        name: "network_host_refused_version",
        help: "1 while the newest version of a plugin is refused with this code and an older one serves.",
        labelNames: ["plugin", "code"],
        registers: [],
        collect() {
          this.reset();
          for (const { plugin, refused } of source.plugins())
            if (refused !== undefined) this.set({ plugin, code: refused }, 1);
        },
      }),
    );
    registry.registerMetric(
      new Gauge({
        name: "network_host_last_reload_good",
        help: "1 if the consumer file and the policies could be read at the last check, else 0.",
        registers: [],
        collect() {
          this.set(source.reload().isGood ? 1 : 0);
        },
      }),
    );
    registry.registerMetric(
      new Gauge({
        name: "network_host_last_good_reload_timestamp_seconds",
        help: "When the consumer file and the policies were last read without an error, in seconds of Unix time.",
        registers: [],
        collect() {
          this.set((source.reload().lastGoodMs ?? 0) / MS_PER_SECOND);
        },
      }),
    );
  };
}
