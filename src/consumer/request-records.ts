/**
 * What the log has of requests: a record of each that was answered, and the lines that plugins wrote meanwhile.
 *
 * @module
 */

import { PluginLog } from "../broker/logging.ts";
import { LogRate, RECOUNT_BURST_SECONDS } from "../contract/log-rate.ts";
import type { Outcome, RpcRequest } from "../contract/request.ts";
import type { ErrorCode } from "../errors/table.ts";
import type { PluginSlot } from "../registry/plugin-slot.ts";
import type { PluginVersion } from "../registry/plugin-version.ts";
import type { Logger } from "../telemetry/logger.ts";
import { logPluginLine, logRequest, requestLogger, type RequestLogger } from "../telemetry/request-log.ts";
import type { CallTimes } from "./call.ts";

/** A request that has been answered. */
export interface Ended {
  readonly slot: PluginSlot;
  readonly request: Pick<RpcRequest, "id" | "method">;
  readonly outcome: Outcome;
  /** The code of the reply that was sent, or `undefined` where the plugin answered. */
  readonly code: ErrorCode | undefined;
  readonly times: CallTimes;
  readonly traceId: string | undefined;
  /** The version that took it, if one did. */
  readonly version: PluginVersion | undefined;
  readonly droppedLogBytes?: number;
}

export class RequestRecords {
  readonly #logger: Logger;
  /** With what is the same in every record of a version, or of a plugin without one. */
  readonly #loggers = new WeakMap<PluginVersion | PluginSlot, RequestLogger>();
  /** A plugin keeps its rate from version to version, and over all of its processes, which count for themselves. */
  readonly #rates = new WeakMap<PluginSlot, LogRate>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Writes the request's one record. */
  write({ slot, request, outcome, code, times, traceId, version, droppedLogBytes = 0 }: Ended): void {
    logRequest(this.#loggerOf(slot, version), {
      method: request.method,
      id: request.id,
      outcome:
        code === undefined && outcome.kind === "ok"
          ? { kind: "ok", status: outcome.response.status }
          : { kind: "error", code: code ?? "internal", detail: "message" in outcome ? outcome.message : undefined },
      times,
      traceId,
      droppedLogBytes,
    });
  }

  /** The log that a plugin writes to during one request. */
  pluginLog(slot: PluginSlot, version: PluginVersion, request: RpcRequest): PluginLog {
    const { name } = version.parts;
    return new PluginLog(
      () => version.authority.now.limits.logBytes,
      this.#rateOf(slot),
      (line) => logPluginLine(this.#logger, { plugin: name, id: request.id, ...line }),
    );
  }

  #rateOf(slot: PluginSlot): LogRate {
    let rate = this.#rates.get(slot);
    if (rate === undefined) this.#rates.set(slot, (rate = new LogRate({ burstSeconds: RECOUNT_BURST_SECONDS })));
    return rate;
  }

  #loggerOf(slot: PluginSlot, version: PluginVersion | undefined): RequestLogger {
    const key = version ?? slot;
    const known = this.#loggers.get(key);
    if (known !== undefined) return known;
    const made = requestLogger(this.#logger, slot.name, version?.parts.digest);
    this.#loggers.set(key, made);
    return made;
  }
}
