/**
 * Which buckets a plugin has used, and which targets of outbound HTTP: what the broker counts, discovery publishes
 * and the smallest policy is written from. Names are a plugin's choice within its grant, bounded in number and length.
 *
 * @module
 */

import { LIMITABLE_METHODS, type LimitableMethod } from "./http.ts";
import { FIXED_LIMITS } from "./limits.ts";
import type { BucketName } from "./names.ts";

/** Operations on one bucket that went to the store. */
export interface UsedBucket {
  /** As the plugin calls it. */
  readonly name: string;
  readonly reads: number;
  readonly writes: number;
}

/** The same for a bucket that the policy shares between plugins. */
export interface UsedSharedBucket extends UsedBucket {
  /** The shared bucket's own name. */
  readonly bucket: BucketName;
}

/** Requests to one target that were sent. */
export interface UsedHost {
  /** `scheme://host[:port]`, without the port where it is the scheme's own. */
  readonly target: string;
  /** Those that a policy can name. */
  readonly methods: readonly LimitableMethod[];
  /** Requests with a method that a policy cannot name. */
  readonly otherMethods: number;
  readonly requests: number;
  /** Addresses outside the public internet that its name resolved to: the first few. A policy must name them as well. */
  readonly addresses: readonly string[];
}

/** What was used. Of each list there are at most `FIXED_LIMITS.usedTargets` entries; `others…` counts the rest. */
export interface UsedTargets {
  readonly privateBuckets: readonly UsedBucket[];
  readonly sharedBuckets: readonly UsedSharedBucket[];
  /** Operations on further buckets. */
  readonly otherBuckets: number;
  readonly hosts: readonly UsedHost[];
  /** Requests to further targets. */
  readonly otherHosts: number;
}

/** What several replicas counted, as one; in the order of the names. */
export function sumTargets(parts: readonly UsedTargets[]): UsedTargets {
  return {
    privateBuckets: merge(
      parts.flatMap((part) => part.privateBuckets),
      ({ name }) => name,
      sumBuckets,
    ),
    sharedBuckets: merge(
      parts.flatMap((part) => part.sharedBuckets),
      ({ name }) => name,
      sumBuckets,
    ),
    otherBuckets: parts.reduce((sum, part) => sum + part.otherBuckets, 0),
    hosts: merge(
      parts.flatMap((part) => part.hosts),
      ({ target }) => target,
      sumHosts,
    ),
    otherHosts: parts.reduce((sum, part) => sum + part.otherHosts, 0),
  };
}

/** Names so many of each kind, the first ones, and counts the rest together. */
export function shortenTargets(targets: UsedTargets, named: number): UsedTargets {
  const restOfBuckets = [...targets.privateBuckets.slice(named), ...targets.sharedBuckets.slice(named)];
  const restOfHosts = targets.hosts.slice(named);
  return {
    privateBuckets: targets.privateBuckets.slice(0, named),
    sharedBuckets: targets.sharedBuckets.slice(0, named),
    otherBuckets: restOfBuckets.reduce((sum, { reads, writes }) => sum + reads + writes, targets.otherBuckets),
    hosts: targets.hosts.slice(0, named).map((host) => shortenAddresses(host, named)),
    otherHosts: restOfHosts.reduce((sum, { requests }) => sum + requests, targets.otherHosts),
  };
}

function shortenAddresses(host: UsedHost, named: number): UsedHost {
  return { ...host, addresses: host.addresses.slice(0, named) };
}

function merge<Item>(items: readonly Item[], nameOf: (item: Item) => string, sum: (a: Item, b: Item) => Item): Item[] {
  const byName = new Map<string, Item>();
  for (const item of items) {
    const name = nameOf(item);
    const known = byName.get(name);
    byName.set(name, known === undefined ? item : sum(known, item));
  }
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
}

function sumBuckets<Bucket extends UsedBucket>(a: Bucket, b: Bucket): Bucket {
  return { ...a, reads: a.reads + b.reads, writes: a.writes + b.writes };
}

function sumHosts(a: UsedHost, b: UsedHost): UsedHost {
  return {
    target: a.target,
    methods: LIMITABLE_METHODS.filter((method) => a.methods.includes(method) || b.methods.includes(method)),
    otherMethods: a.otherMethods + b.otherMethods,
    requests: a.requests + b.requests,
    addresses: [...new Set([...a.addresses, ...b.addresses])].sort().slice(0, FIXED_LIMITS.usedTargets),
  };
}
