/**
 * Makes policies and stamps each with its revision. Pure.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { ALL_ACCESS_LEVEL_BITS } from "../contract/access-levels.ts";
import type { PluginName } from "../contract/names.ts";
import type { AllowedHost, Policy } from "./policy.ts";

const REVISION_LENGTH = 12;

/** A policy without its revision. */
export type PolicyContent = Omit<Policy, "revision">;

/** The policy with these contents. Bits that the contract does not define are dropped: nothing can allow them. */
export function createPolicy(content: PolicyContent): Policy {
  const known = { ...content, allow: content.allow & ALL_ACCESS_LEVEL_BITS };
  return { ...known, revision: revisionOf(known) };
}

/** The policy of a plugin that has none: no level, no bucket, no host. */
export function denyAll(plugin: PluginName): Policy {
  return createPolicy({ plugin, allow: 0, buckets: { private: [], shared: new Map() }, hosts: [], limits: {} });
}

/**
 * The policy of a plugin whose own cannot be read: nothing is known of the signatures that it demands, so no component of the
 * plugin is good enough.
 */
export function refuseAll(plugin: PluginName): Policy {
  return createPolicy({ ...denyAll(plugin), signedBy: [] });
}

/** Equal for policies that mean the same: the order of lists and keys, and repetitions, do not count. */
function revisionOf(content: PolicyContent): string {
  const { plugin, allow, buckets, hosts, digests, signedBy, limits } = content;
  const canonical = [
    plugin,
    allow,
    buckets.private === "any" ? "any" : canonicalList(buckets.private),
    canonicalEntries(buckets.shared),
    canonicalList(hosts.map(canonicalHost)),
    canonicalEntries(Object.entries(limits)),
    // Policies without digests and signatures keep the revisions that they had.
    ...(digests === undefined ? [] : [["digests", canonicalList(digests)]]),
    ...(signedBy === undefined ? [] : [canonicalList(signedBy.map(({ id }) => id))]),
  ];
  return createHash("sha256").update(JSON.stringify(canonical)).digest("hex").slice(0, REVISION_LENGTH);
}

function canonicalHost(host: AllowedHost): string {
  return typeof host === "string" ? host : JSON.stringify([host.target, canonicalList(host.methods)]);
}

function canonicalList(texts: Iterable<string>): string[] {
  return [...new Set(texts)].sort();
}

function canonicalEntries(entries: Iterable<readonly [string, unknown]>): (readonly [string, unknown])[] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
}
