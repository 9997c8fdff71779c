/**
 * A plugin as its subscriptions serve it: one object with everything that the plugin's requests share across versions.
 * Its subscriptions hold it, so it ends with them.
 *
 * @module
 */

import { PluginLog } from "../capabilities/logging/host.ts";
import { LogRate, RECOUNT_BURST_SECONDS } from "../contract/log-rate.ts";
import type { TurnQueue } from "../fairness/turn-queue.ts";
import type { PluginSlot } from "../registry/plugin-slot.ts";
import type { PluginVersion } from "../registry/plugin-version.ts";
import type { PluginStats } from "../telemetry/plugin-stats.ts";
import { logPluginLine, requestLogger, type RequestLogger } from "../telemetry/request-log.ts";
import { printableLine } from "../telemetry/plugin-text.ts";
import type { ReplyOwner } from "../nats/recent-replies.ts";
import type { PluginGate } from "./admission.ts";
import { RefusalLog } from "./refusal-log.ts";
import { ServedVersion, type ServedVersionOptions } from "./served-version.ts";

/** Callers choose reply subjects, so the log shortens them. */
const MAX_SUBJECT_CHARACTERS = 255;

/** The parts of a slot that requests use. */
export type ServedSlot = Pick<PluginSlot, "name" | "state" | "stats">;

export interface ServedPluginOptions extends ServedVersionOptions {
  readonly slot: ServedSlot;
  readonly gate: PluginGate;
  /** Spreads work that concerns many requests at the same moment. */
  readonly turns: TurnQueue;
}

export class ServedPlugin implements ReplyOwner {
  readonly slot: ServedSlot;
  readonly stats: PluginStats;
  readonly gate: PluginGate;
  readonly turns: TurnQueue;
  readonly refusals: RefusalLog;
  readonly #surroundings: ServedVersionOptions;
  /** For all requests of all versions together. The plugin's processes also keep a rate each. */
  readonly #logRate = new LogRate({ burstSeconds: RECOUNT_BURST_SECONDS });
  /** The version that took the last request. */
  #served: ServedVersion | undefined;
  #recordsWithoutVersion: RequestLogger | undefined;

  constructor({ slot, gate, turns, ...surroundings }: ServedPluginOptions) {
    this.slot = slot;
    this.stats = slot.stats;
    this.gate = gate;
    this.turns = turns;
    this.refusals = new RefusalLog(surroundings.logger, slot.name);
    this.#surroundings = surroundings;
  }

  /** What the requests of `version`, which serves now, share. */
  serve(version: PluginVersion): ServedVersion {
    if (this.#served?.version !== version) {
      this.#served = new ServedVersion(version, this.stats, this.#surroundings);
    }
    return this.#served;
  }

  /** The logger for requests that no version took. */
  get recordsWithoutVersion(): RequestLogger {
    this.#recordsWithoutVersion ??= requestLogger(this.#surroundings.logger, this.slot.name, undefined);
    return this.#recordsWithoutVersion;
  }

  /** The server refused a reply that was counted as sent. */
  refused(subject: string, message: string): void {
    this.stats.drop("reply-refused");
    this.refusals.write(() =>
      this.#surroundings.logger.warn(
        { plugin: this.slot.name, subject: printableLine(subject, MAX_SUBJECT_CHARACTERS), detail: message },
        "the NATS server refused a reply",
      ),
    );
  }

  /** The log that the plugin writes to during one request. `maxBytes` returns that request's limit now. */
  openLog(id: string, maxBytes: () => number): PluginLog {
    const { logger } = this.#surroundings;
    return new PluginLog(maxBytes, this.#logRate, (line) =>
      logPluginLine(logger, { plugin: this.slot.name, id, ...line }),
    );
  }
}
