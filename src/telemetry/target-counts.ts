/**
 * Counts the targets of one plugin's operations: buckets, and targets of outbound HTTP. Every operation passes here, so
 * counting costs one look-up in a map. Plugins choose the names. So the first few of each kind
 * (`FIXED_LIMITS.usedTargets`) are counted separately and the rest together: no plugin can fill the host's memory with
 * names. Only operations that the broker allowed are counted, so names are checked and of bounded length.
 *
 * @module
 */

import { LIMITABLE_METHODS } from "../contract/http.ts";
import { FIXED_LIMITS } from "../contract/limits.ts";
import type { BucketName } from "../contract/names.ts";
import type { UsedBucket, UsedHost, UsedSharedBucket, UsedTargets } from "../contract/used-targets.ts";

interface BucketCount {
  /** Its own name. */
  bucket: BucketName;
  reads: number;
  writes: number;
}

interface HostCount {
  /** Counts by index in {@link LIMITABLE_METHODS}; the last one is for all other methods. */
  readonly methods: number[];
  /** Created for the first address. */
  addresses: Set<string> | undefined;
}

export class TargetCounts {
  // Created on first use: most plugins of a large fleet get hardly any requests.
  #private: Map<string, BucketCount> | undefined;
  #shared: Map<string, BucketCount> | undefined;
  #hosts: Map<string, HostCount> | undefined;
  #otherBuckets = 0;
  #otherHosts = 0;

  /** An operation went to the store, on the bucket that the plugin calls `name` and the store calls `bucket`. */
  countBucket(operation: "get" | "set", kind: "private" | "shared", name: string, bucket: BucketName): void {
    const counts = kind === "shared" ? (this.#shared ??= new Map()) : (this.#private ??= new Map());
    let count = counts.get(name);
    if (count === undefined) {
      if (counts.size >= FIXED_LIMITS.usedTargets) {
        this.#otherBuckets += 1;
        return;
      }
      count = { bucket, reads: 0, writes: 0 };
      counts.set(name, count);
    }
    // A newer policy may have put another bucket behind the same name.
    count.bucket = bucket;
    if (operation === "get") count.reads += 1;
    else count.writes += 1;
  }

  /** A request to a target was sent. */
  countHost(target: string, method: string): void {
    this.#hosts ??= new Map();
    let count = this.#hosts.get(target);
    if (count === undefined) {
      if (this.#hosts.size >= FIXED_LIMITS.usedTargets) {
        this.#otherHosts += 1;
        return;
      }
      count = { methods: Array.from({ length: LIMITABLE_METHODS.length + 1 }, () => 0), addresses: undefined };
      this.#hosts.set(target, count);
    }
    const known = (LIMITABLE_METHODS as readonly string[]).indexOf(method);
    const index = known < 0 ? LIMITABLE_METHODS.length : known;
    count.methods[index] = (count.methods[index] ?? 0) + 1;
  }

  /** A target's name resolved to an address that a policy must name as well. */
  noteAddress(target: string, address: string): void {
    const count = this.#hosts?.get(target);
    if (count === undefined) return;
    count.addresses ??= new Set();
    if (count.addresses.size < FIXED_LIMITS.usedTargets) count.addresses.add(address);
  }

  /** What was used so far. A copy. */
  used(): UsedTargets {
    return {
      privateBuckets: [...(this.#private ?? [])].map(usedBucket),
      sharedBuckets: [...(this.#shared ?? [])].map(usedSharedBucket),
      otherBuckets: this.#otherBuckets,
      hosts: [...(this.#hosts ?? [])].map(usedHost),
      otherHosts: this.#otherHosts,
    };
  }
}

function usedBucket([name, { reads, writes }]: readonly [string, BucketCount]): UsedBucket {
  return { name, reads, writes };
}

function usedSharedBucket([name, { bucket, reads, writes }]: readonly [string, BucketCount]): UsedSharedBucket {
  return { name, bucket, reads, writes };
}

function usedHost([target, { methods, addresses = new Set<string>() }]: readonly [string, HostCount]): UsedHost {
  return {
    target,
    methods: LIMITABLE_METHODS.filter((_, index) => (methods[index] ?? 0) > 0),
    otherMethods: methods[LIMITABLE_METHODS.length] ?? 0,
    requests: methods.reduce((sum, count) => sum + count, 0),
    addresses: [...addresses].sort(),
  };
}
