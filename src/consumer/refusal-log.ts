/**
 * Records of messages that were not admitted. Whoever may publish decides how many there are, so they are bounded by
 * time: all are counted in the metrics, and those beyond a rate are told of by their number alone.
 *
 * @module
 */

import { FIXED_LIMITS } from "../contract/limits.ts";
import { LogRate } from "../contract/log-rate.ts";
import type { PluginSlot } from "../registry/plugin-slot.ts";
import type { Logger } from "../telemetry/logger.ts";

export class RefusalLog {
  readonly #logger: Logger;
  readonly #clock: () => number;
  readonly #rates = new WeakMap<Pick<PluginSlot, "name">, LogRate>();

  /** The clock counts milliseconds and never goes back. */
  constructor(logger: Logger, clock: () => number = () => performance.now()) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /** Calls `write`, which writes a record, unless the plugin has had as many as it may lately. */
  write(slot: Pick<PluginSlot, "name">, write: () => void): void {
    const rate = this.#rateOf(slot);
    if (!rate.take(0)) return;
    const records = rate.takeMissed();
    if (records > 0) this.#logger.warn({ plugin: slot.name, records }, "more requests were refused than are logged");
    write();
  }

  #rateOf(slot: Pick<PluginSlot, "name">): LogRate {
    const known = this.#rates.get(slot);
    if (known !== undefined) return known;
    const rate = new LogRate({ linesPerSecond: FIXED_LIMITS.refusalsLoggedPerSecond, clock: this.#clock });
    this.#rates.set(slot, rate);
    return rate;
  }
}
