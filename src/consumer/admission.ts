/**
 * Admission: how many requests may be handled at a time, per plugin and per replica. A request gets a place
 * at once or none: nothing queues here, so that overload is seen by the caller and not as latency.
 *
 * @module
 */

import type { PluginName } from "../contract/names.ts";

/** What a request was told. */
export type Admission =
  | { readonly kind: "admitted" }
  /** No place. `by` says whose limit it was. */
  | { readonly kind: "shed"; readonly by: "plugin" | "replica"; readonly retryAfterMs: number };

/** Hint for a shed caller: long enough for places to become free, short enough not to idle. */
const RETRY_AFTER_MS = 100;

const ADMITTED: Admission = { kind: "admitted" };

export class AdmissionGate {
  readonly #replicaLimit: () => number;
  readonly #byPlugin = new Map<PluginName, number>();
  #total = 0;

  /** `replicaLimit` is the number of requests over all plugins, at each moment. */
  constructor(replicaLimit: () => number) {
    this.#replicaLimit = replicaLimit;
  }

  /** Requests that hold a place now. */
  get inFlight(): number {
    return this.#total;
  }

  /** Requests of one plugin that hold a place now. */
  inFlightOf(plugin: PluginName): number {
    return this.#byPlugin.get(plugin) ?? 0;
  }

  /** Takes a place. Whoever is admitted calls {@link leave} exactly once. */
  enter(plugin: PluginName, pluginLimit: number): Admission {
    if (this.#total >= this.#replicaLimit()) return { kind: "shed", by: "replica", retryAfterMs: RETRY_AFTER_MS };
    const inFlight = this.inFlightOf(plugin);
    if (inFlight >= pluginLimit) return { kind: "shed", by: "plugin", retryAfterMs: RETRY_AFTER_MS };
    this.#total += 1;
    this.#byPlugin.set(plugin, inFlight + 1);
    return ADMITTED;
  }

  leave(plugin: PluginName): void {
    this.#total -= 1;
    this.#byPlugin.set(plugin, this.inFlightOf(plugin) - 1);
  }
}
