/**
 * Counts the events of plugins' processes for the metrics, in addition to their log.
 *
 * @module
 */

import type { PluginName } from "./contract/names.ts";
import type { LoadEvents } from "./registry/plugin-loader.ts";
import type { PluginStats } from "./telemetry/plugin-stats.ts";

/** Counts events, and passes all of them on to `events`. `statsOf` finds a plugin's counters. */
export function countLoads(events: LoadEvents, statsOf: (name: PluginName) => PluginStats | undefined): LoadEvents {
  return {
    ...events,
    runner: (plugin, digest) => {
      const runner = events.runner(plugin, digest);
      return {
        ...runner,
        started: (reason, durationMs) => {
          statsOf(plugin)?.runnerStarted(reason);
          runner.started(reason, durationMs);
        },
        counted: (change) => {
          statsOf(plugin)?.countRunners(change);
          runner.counted(change);
        },
        ended: (exit, delayMs) => {
          statsOf(plugin)?.runnerRestarted();
          runner.ended(exit, delayMs);
        },
      };
    },
  };
}
