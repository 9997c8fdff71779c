/**
 * What requests of one version of a plugin share: the check of what it may do, and the logger of its records. It is there
 * as long as the version serves or a call of it is open.
 *
 * @module
 */

import { type Broker, createBroker } from "../broker/broker.ts";
import type { OutboundHttp } from "../egress/outbound-http.ts";
import type { KeyValueStore } from "../kv/store.ts";
import type { PluginVersion } from "../registry/plugin-version.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { PluginStats } from "../telemetry/plugin-stats.ts";
import { requestLogger, type RequestLogger } from "../telemetry/request-log.ts";

/** What versions work on; none of it is theirs. */
export interface ServedVersionOptions {
  readonly store: KeyValueStore;
  readonly http: OutboundHttp;
  readonly logger: Logger;
}

export class ServedVersion {
  readonly version: PluginVersion;
  /** With what is the same in every record. */
  readonly records: RequestLogger;
  /** It is closed with the version. */
  readonly broker: Broker;

  /** `stats` are its plugin's. */
  constructor(version: PluginVersion, stats: PluginStats, surroundings: ServedVersionOptions) {
    this.version = version;
    this.records = requestLogger(surroundings.logger, version.parts.name, version.parts.digest);
    this.broker = openBroker(version, stats, surroundings);
  }
}

function openBroker(version: PluginVersion, stats: PluginStats, { store, http, logger }: ServedVersionOptions): Broker {
  const { name } = version.parts;
  const broker = createBroker({
    plugin: name,
    authority: version.authority,
    store,
    http,
    onStoreError: (error) => logger.error({ plugin: name, err: error }, "a store operation failed"),
    onOperation: (operation, outcome) => stats.storeOperation(operation === "kv-get" ? "get" : "set", outcome),
    onStoreUse: (operation, bucketName, { namespace, bucket }) =>
      stats.targets.countBucket(operation === "kv-get" ? "get" : "set", namespace.kind, bucketName, bucket),
    onHttp: (outcome) => stats.httpRequest(outcome),
    onHttpUse: (target, method) => stats.targets.countHost(target, method),
    onHttpAddress: (target, address) => stats.targets.noteAddress(target, address),
  });
  void version.closed.then(() => broker.close());
  return broker;
}
