/**
 * What requests of one version of a plugin share: the check of what it may do, and the logger of its records. It is there
 * as long as the version serves or a call of it is open.
 *
 * @module
 */

import type { Drivers } from "../capabilities/host-side.ts";
import { Gates } from "../capabilities/host.ts";
import type { PluginVersion } from "../registry/plugin-version.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { PluginStats } from "../telemetry/plugin-stats.ts";
import { requestLogger, type RequestLogger } from "../telemetry/request-log.ts";

/** What versions work on; none of it is theirs. */
export interface ServedVersionOptions extends Drivers {
  readonly logger: Logger;
}

export class ServedVersion {
  readonly version: PluginVersion;
  /** With what is the same in every record. */
  readonly records: RequestLogger;
  /** It is closed with the version. */
  readonly gates: Gates;

  /** `stats` are its plugin's. */
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
