/**
 * What a change of policy or limits takes away, in words for the log. Pure.
 *
 * @module
 */

import type { PluginLimits } from "../contract/limits.ts";
import { shortDigest } from "../contract/digest.ts";
import type { BucketName } from "../contract/names.ts";
import { describeLevels } from "./decide.ts";
import type { AllowedHost, BucketPolicy, Policy } from "./policy.ts";

/** What an operator wants for a plugin at one moment. */
export interface Wanted {
  readonly policy: Policy;
  readonly limits: PluginLimits;
}

/** Limits of a process, which keeps those that it started with until it is replaced. */
const OF_A_PROCESS: ReadonlySet<keyof PluginLimits> = new Set([
  "memoryBytes",
  "runnerMemoryBytes",
  "runners",
  "idleMs",
]);

/** Everything that the earlier one allowed and the later one does not; empty if nothing was taken away. */
export function describeNarrowing(before: Wanted, now: Wanted): readonly string[] {
  const taken = lowered(before.limits, now.limits);
  if (before.policy.revision === now.policy.revision) return taken;
  return [
    ...describeLevels((before.policy.allow & ~now.policy.allow) >>> 0),
    ...takenBuckets(before.policy.buckets, now.policy.buckets),
    ...takenHosts(before.policy.hosts, now.policy.hosts),
    ...takenDigests(before.policy, now.policy),
    ...takenKeys(before.policy, now.policy),
    ...taken,
  ];
}

function takenBuckets(before: BucketPolicy, now: BucketPolicy): string[] {
  const isAllowed = (name: BucketName): boolean => now.private === "any" || now.private.includes(name);
  const own =
    before.private === "any"
      ? now.private === "any"
        ? []
        : [now.private.length === 0 ? "all private buckets" : `private buckets but ${now.private.join(", ")}`]
      : before.private.filter((name) => !isAllowed(name)).map((name) => `private bucket ${name}`);
  const shared = [...before.shared]
    .filter(([name, bucket]) => now.shared.get(name) !== bucket)
    .map(([name, bucket]) => `shared bucket ${bucket} as ${name}`);
  return [...own, ...shared];
}

function takenHosts(before: readonly AllowedHost[], now: readonly AllowedHost[]): string[] {
  const kept = new Set(now.map(hostText));
  return before
    .map(hostText)
    .filter((text) => !kept.has(text))
    .map((text) => `host ${text}`);
}

/** Components that are no longer allowed. */
function takenDigests({ digests: before }: Policy, { digests: now }: Policy): string[] {
  if (now === undefined) return [];
  if (before === undefined) return ["components that it does not name by digest"];
  return before.filter((digest) => !now.includes(digest)).map((digest) => `the component ${shortDigest(digest)}`);
}

/** Signatures that no longer suffice. */
function takenKeys({ signedBy: before }: Policy, { signedBy: now }: Policy): string[] {
  if (now === undefined) return [];
  if (before === undefined) return ["components that none of its keys has signed"];
  const kept = new Set(now.map(({ id }) => id));
  return before.filter(({ id }) => !kept.has(id)).map(({ id }) => `signatures by the key ${shortDigest(id)}`);
}

function hostText(host: AllowedHost): string {
  return typeof host === "string" ? host : `${host.target} (${host.methods.toSorted().join(", ")})`;
}

function lowered(before: PluginLimits, now: PluginLimits): string[] {
  return (Object.keys(before) as (keyof PluginLimits)[])
    .filter((name) => now[name] < before[name])
    .map((name) => `${name} from ${before[name]} to ${now[name]}${OF_A_PROCESS.has(name) ? " (next process)" : ""}`);
}
