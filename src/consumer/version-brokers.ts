/**
 * A broker for each version of a plugin. It asks the version what it may do, so it lives as long as the version does.
 *
 * @module
 */

import { type Broker, createBroker } from "../broker/broker.ts";
import type { OutboundHttp } from "../egress/outbound-http.ts";
import type { KeyValueStore } from "../kv/store.ts";
import type { PluginVersion } from "../registry/plugin-version.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { PluginStats } from "../telemetry/plugin-stats.ts";

/** What brokers work on; none of it is theirs. */
export interface BrokerParts {
  readonly store: KeyValueStore;
  readonly http: OutboundHttp;
  readonly logger: Logger;
}

export class VersionBrokers {
  readonly #parts: BrokerParts;
  readonly #brokers = new WeakMap<PluginVersion, Broker>();

  constructor(parts: BrokerParts) {
    this.#parts = parts;
  }

  /** The broker of a version; `stats` are its plugin's. It is closed with the version. */
  of(version: PluginVersion, stats: PluginStats): Broker {
    const known = this.#brokers.get(version);
    if (known !== undefined) return known;
    const { name } = version.parts;
    const { store, http, logger } = this.#parts;
    const broker = createBroker({
      plugin: name,
      authority: version.authority,
      store,
      http,
      onStoreError: (error) => logger.error({ plugin: name, err: error }, "a store operation failed"),
      onOperation: (operation, outcome) => stats.storeOperation(operation === "kv-get" ? "get" : "set", outcome),
      onStoreUse: (operation, name, { namespace, bucket }) =>
        stats.targets.countBucket(operation === "kv-get" ? "get" : "set", namespace.kind, name, bucket),
      onHttp: (outcome) => stats.httpRequest(outcome),
      onHttpUse: (target, method) => stats.targets.countHost(target, method),
      onHttpAddress: (target, address) => stats.targets.noteAddress(target, address),
    });
    this.#brokers.set(version, broker);
    void version.closed.then(() => broker.close());
    return broker;
  }
}
