/**
 * What the requests of one version of a plugin share: the gates that check its operations, and the logger of its
 * records. It lives as long as the version serves or has an open call.
 *
 * @module
 */

import type { Drivers } from "../capabilities/host-side.ts";
import { Gates } from "../capabilities/host.ts";
import type { PluginVersion } from "../registry/plugin-version.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { PluginStats } from "../telemetry/plugin-stats.ts";
import { requestLogger, type RequestLogger } from "../telemetry/request-log.ts";

/** Dependencies that versions share and never close. */
export interface ServedVersionOptions extends Drivers {
  readonly logger: Logger;
}

export class ServedVersion {
  readonly version: PluginVersion;
  /** Adds the fields that are the same in every record. */
  readonly records: RequestLogger;
  /** Closed with the version. */
  readonly gates: Gates;

  /** `stats` are those of the plugin. */
  constructor(version: PluginVersion, stats: PluginStats, surroundings: ServedVersionOptions) {
    this.version = version;
    this.records = requestLogger(surroundings.logger, version.parts.name, version.parts.digest);
    this.gates = openGates(version, stats, surroundings);
  }
}

function openGates(version: PluginVersion, stats: PluginStats, { logger, ...drivers }: ServedVersionOptions): Gates {
  const { name } = version.parts;
  const gates = new Gates({
    plugin: name,
    authority: version.authority,
    drivers,
    count: (capability, operation, outcome) => stats.operation(capability, operation, outcome),
    uses: stats.targets,
    onDriverError: (error) => logger.error({ plugin: name, err: error }, "a store operation failed"),
  });
  void version.closed.then(() => gates.close());
  return gates;
}
