/**
 * What a replica logs about its wRPC listeners and their connections.
 *
 * @module
 */

import { RefusalLog } from "./consumer/refusal-log.ts";
import type { PluginName } from "./contract/names.ts";
import type { Logger } from "./telemetry/logger.ts";
import type { WrpcOutcome } from "./telemetry/wrpc-stats.ts";
import type { WrpcServerEvents } from "./wrpc-server/wrpc-server.ts";

/** Outcomes that have a record of their request, or that say nothing about the replica or its callers. */
const UNLOGGED: ReadonlySet<WrpcOutcome> = new Set(["answered", "silent", "caller-gone", "reply-unread", "stopped"]);

/** Logs the events. Callers decide how many connections there are, so a rate for each plugin bounds their records. */
export function logWrpc(logger: Logger): WrpcServerEvents {
  const rates = new Map<PluginName, RefusalLog>();
  const rateOf = (plugin: PluginName): RefusalLog => {
    const rate = rates.get(plugin) ?? new RefusalLog(logger, plugin);
    rates.set(plugin, rate);
    return rate;
  };
  return {
    listening: (plugin, address, isEncrypted) =>
      logger.info({ plugin, address, tls: isEncrypted }, "the plugin is served over wRPC"),
    closed: (plugin, address) => {
      rates.delete(plugin);
      logger.info({ plugin, address }, "the plugin is no longer served over wRPC");
    },
    failed: (error) => logger.error({ err: error }, "a plugin cannot be served over wRPC as the consumer file says"),
    certificateKept: (error) => logger.warn({ err: error }, "the file cannot be used; its last content is"),
    ended: (plugin, outcome, detail) => {
      if (UNLOGGED.has(outcome)) return;
      rateOf(plugin).write(() =>
        logger.warn({ plugin, outcome, detail }, "a wRPC connection was closed without a result"),
      );
    },
  };
}
