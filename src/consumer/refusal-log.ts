/**
 * Records of a plugin's messages that were not admitted. Publishers decide how many there are, so a rate bounds the
 * log. Above that rate the log has only their number; the metrics count all.
 *
 * @module
 */

import { FIXED_LIMITS } from "../contract/limits.ts";
import { LogRate } from "../contract/log-rate.ts";
import type { PluginName } from "../contract/names.ts";
import type { Logger } from "../telemetry/logger.ts";

export class RefusalLog {
  readonly #logger: Logger;
  readonly #plugin: PluginName;
  readonly #rate: LogRate;

  /** The clock counts milliseconds and never goes back. */
  constructor(logger: Logger, plugin: PluginName, clock: () => number = () => performance.now()) {
    this.#logger = logger;
    this.#plugin = plugin;
    this.#rate = new LogRate({ linesPerSecond: FIXED_LIMITS.refusalsLoggedPerSecond, clock });
  }

  /** Calls `write`, which writes a record, unless the rate is used up. */
  write(write: () => void): void {
    if (!this.#rate.take(0)) return;
    const records = this.#rate.takeMissed();
    if (records > 0) {
      this.#logger.warn({ plugin: this.#plugin, records }, "more requests were refused than the log shows");
    }
    write();
  }
}
