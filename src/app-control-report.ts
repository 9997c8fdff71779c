/**
 * The parts of a replica's answers to commands: the state of its files and of its plugins.
 *
 * @module
 */

import type { ReplicaConfig, ReplicaFiles } from "./app-config.ts";
import { stateOf } from "./app-plugins.ts";
import type { FilesReport, PendingSetting, PluginReport, RefusedPlugin, ReportedError } from "./control/report.ts";
import type { HostError } from "./errors/host-error.ts";
import { componentName } from "./registry/plugin-loader.ts";
import type { PluginSlot } from "./registry/plugin-slot.ts";
import type { Registry } from "./registry/registry.ts";

/** The most problems, and the most warnings, in one answer; the log and `check` have them all. */
const MAX_PROBLEMS = 1_000;

/** What a replica knows of its files. */
export interface KnownFiles {
  /** The result of the last reading. */
  readonly config: ReplicaConfig | undefined;
  readonly reload: Registry["lastReload"] | undefined;
  readonly pending: readonly PendingSetting[];
}

/** The state of the files. */
export function describeFiles(files: ReplicaFiles, { config, reload, pending }: KnownFiles): FilesReport {
  const { lastGoodMs, failure } = reload ?? {};
  return {
    consumerFile: files.consumer.kind === "file" ? files.consumer.path : null,
    policyDir: files.policy.folder,
    lastGood: lastGoodMs === undefined ? null : new Date(lastGoodMs).toISOString(),
    problems: (config?.problems ?? [])
      .slice(0, MAX_PROBLEMS)
      .map(({ file, line, column, message }) => ({ file, line, column, message })),
    failure: errorOf(failure),
    pendingSettings: pending,
    warnings: (config?.warnings ?? []).slice(0, MAX_PROBLEMS),
  };
}

/** The state of a plugin. */
export function describePlugin(slot: PluginSlot): PluginReport {
  const { spec, state, stats } = slot;
  const { num_requests: requests, num_errors: errors } = stats.endpointStats();
  const version = state.kind === "loaded" ? state.version : undefined;
  return {
    name: slot.name,
    state: stateOf(slot),
    since: new Date(slot.sinceMs).toISOString(),
    component: componentName(spec),
    version: spec.version,
    digest: version?.parts.digest ?? null,
    policy: version?.authority.policyRevision ?? null,
    engine: version?.parts.engine ?? null,
    error: errorOf("error" in state ? state.error : undefined),
    refused: errorOf(slot.refused),
    requests,
    errors,
    inFlight: stats.inFlight,
    runners: stats.runners,
    restarts: stats.runnerRestarts,
  };
}

/** One entry where the plugin does not run as its files say, else an empty list. */
export function describeRefusals({ name, spec, state, refused }: PluginSlot): RefusedPlugin[] {
  const error = errorOf("error" in state ? state.error : refused);
  if (error === null) return [];
  return [{ name, component: componentName(spec), error, serves: "error" in state ? "nothing" : "older-version" }];
}

function errorOf(error: HostError | undefined): ReportedError | null {
  return error === undefined ? null : { code: error.code, message: error.message };
}
