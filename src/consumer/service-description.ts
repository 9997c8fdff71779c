/**
 * What discovery reports about each plugin.
 *
 * @module
 */

import { shortDigest } from "../contract/digest.ts";
import { requestSubject } from "../contract/protocol.ts";
import type { PluginSlot } from "../registry/plugin-slot.ts";
import type { EndpointDescription, ServiceDescription } from "./service-answer.ts";

export interface ReplicaIdentity {
  readonly group: string;
  readonly replicaId: string;
  readonly started: Date;
}

/** One service for each plugin, with its present state. */
export function* describeServices(
  slots: Iterable<PluginSlot>,
  replica: ReplicaIdentity,
): Generator<ServiceDescription> {
  for (const slot of slots) {
    const { spec, state } = slot;
    const digest = state.kind === "loaded" ? state.version.parts.digest : undefined;
    const { version } = spec;
    yield {
      name: slot.name,
      id: replica.replicaId,
      version: digest === undefined || version.includes("+") ? version : `${version}+${shortDigest(digest)}`,
      description: spec.description,
      started: replica.started,
      metadata: digest === undefined ? {} : { digest },
      endpoints: [
        {
          name: "handle-request",
          subject: requestSubject(slot.name),
          queueGroup: replica.group,
          stats: slot.stats.endpointStats(),
          data: describeState(slot),
        },
      ],
    };
  }
}

function describeState(slot: PluginSlot): EndpointDescription["data"] {
  const { stats, state } = slot;
  const drops = [...stats.drops.values()].reduce((sum, count) => sum + count, 0);
  const counts = {
    inFlight: stats.inFlight,
    shed: stats.shed,
    unanswerable: drops,
    restarts: stats.runnerRestarts,
    runners: stats.runners,
    coldStarts: stats.runnerStarts.get("request") ?? 0,
    used: stats.usedLevels,
    usedTargets: stats.targets.used(),
  };
  if (state.kind === "loading") return { state: "loading", ...counts };
  if (state.kind !== "loaded") return { state: "failed", error: state.error.code, ...counts };
  const { parts, authority } = state.version;
  return { state: authority.now.kind, digest: parts.digest, policy: authority.policyRevision, ...counts };
}
