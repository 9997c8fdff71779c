/**
 * What a replica reports about the state of its plugins: in its readiness, in its metrics, and in the log where it leaves a
 * plugin to other replicas.
 *
 * @module
 */

import type { PresenceEvents } from "./consumer/presence.ts";
import type { PluginSlot } from "./registry/plugin-slot.ts";
import type { Registry } from "./registry/registry.ts";
import type { ReadinessCheck } from "./telemetry/health-server.ts";
import type { LoadedPlugin, LoadSource } from "./telemetry/load-metrics.ts";
import type { Logger } from "./telemetry/logger.ts";

/** The most plugins that one answer names. */
const NAMED_PLUGINS = 16;

/** Not ready while a plugin is loading or will be tried again. One that can never be loaded is not a reason to wait. */
export function pluginReadiness(registry: Pick<Registry, "slots" | "isPlanned"> | undefined): ReadinessCheck {
  if (registry === undefined || !registry.isPlanned) return { ready: false, reason: "loading" };
  const slots = [...registry.slots.values()];
  const waiting = [
    named(
      "loading",
      slots.filter(({ state }) => state.kind === "loading").map(({ name }) => name),
    ),
    named("cannot be loaded now", slots.filter(isTriedAgain).map(describeFailure)),
  ].filter((text) => text !== undefined);
  if (waiting.length > 0) return { ready: false, reason: waiting.join("; ") };
  const degraded = [
    named("can never be loaded", slots.filter(({ state }) => state.kind === "failed").map(describeFailure)),
    named(
      "newer versions are refused",
      slots.flatMap(({ name, refused }) => (refused === undefined ? [] : [`${name} (${refused.code})`])),
    ),
  ].filter((text) => text !== undefined);
  return degraded.length === 0 ? { ready: true } : { ready: true, degraded: degraded.join("; ") };
}

/** The states of plugins, as the metrics read them. */
export function loadSource(registry: () => Registry | undefined): LoadSource {
  return {
    *plugins() {
      for (const slot of registry()?.slots.values() ?? []) {
        yield { plugin: slot.name, state: stateOf(slot), refused: slot.refused?.code };
      }
    },
    reload: () => registry()?.lastReload ?? { isGood: false, lastGoodMs: undefined },
  };
}

/** Logs which plugins the replica leaves to others. */
export function logPresence(logger: Logger): PresenceEvents {
  return {
    subscribed: (plugins) => {
      for (const plugin of plugins) logger.debug({ plugin }, "plugin subscribed");
    },
    left: (plugin) => logger.warn({ plugin }, "the plugin cannot be served here; another replica takes its requests"),
    alone: (plugin) =>
      logger.warn({ plugin }, "no other replica serves the plugin any more; its requests are answered with the error"),
  };
}

function isTriedAgain({ state }: PluginSlot): boolean {
  return state.kind === "failed" && state.error.row.retryable;
}

/** A plugin's state in the words of the metrics. */
export function stateOf({ state }: PluginSlot): LoadedPlugin["state"] {
  if (state.kind === "loading") return "loading";
  if (state.kind === "loaded") return state.version.authority.now.kind;
  return state.error.row.retryable ? "failed" : "unloadable";
}

function describeFailure({ name, state }: PluginSlot): string {
  return state.kind === "failed" ? `${name} (${state.error.code})` : name;
}

/** The first names, and how many more there are; `undefined` for an empty list. */
function named(what: string, all: readonly string[]): string | undefined {
  if (all.length === 0) return undefined;
  return `${what}: ${namesInWords(all)}`;
}

/** The first names in one line, and how many more there are. */
export function namesInWords(all: readonly string[]): string {
  const some = all.slice(0, NAMED_PLUGINS).join(", ");
  return all.length > NAMED_PLUGINS ? `${some} and ${all.length - NAMED_PLUGINS} more` : some;
}
