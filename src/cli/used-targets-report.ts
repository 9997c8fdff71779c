/**
 * The buckets and hosts that a plugin has used, in words.
 *
 * @module
 */

import type { UsedTargets } from "../contract/used-targets.ts";
import { printableText } from "../telemetry/plugin-text.ts";

/** Columns of text with their heading; empty if nothing was used. */
export function usedTargetColumns(used: UsedTargets): string[][] {
  const { privateBuckets, sharedBuckets, otherBuckets, hosts, otherHosts } = used;
  const rows = [
    ...privateBuckets.map((bucket) => [`bucket ${bucket.name}`, operations(bucket)]),
    ...sharedBuckets.map((bucket) => [`shared bucket ${bucket.name} (${bucket.bucket})`, operations(bucket)]),
    ...(otherBuckets > 0 ? [["further buckets", `${otherBuckets} operations`]] : []),
    ...hosts.map(({ target, methods, otherMethods, requests, addresses }) => [
      `host ${printableText(target)}`,
      `${requests} requests: ${[...methods, ...(otherMethods > 0 ? ["other methods"] : [])].join(", ")}` +
        (addresses.length > 0 ? `; at ${addresses.join(", ")}` : ""),
    ]),
    ...(otherHosts > 0 ? [["further hosts", `${otherHosts} requests`]] : []),
  ];
  return rows.length === 0 ? [] : [["USED SO FAR", ""], ...rows];
}

function operations({ reads, writes }: { readonly reads: number; readonly writes: number }): string {
  return `${reads} reads, ${writes} writes`;
}
