import { describe, expect, test } from "vitest";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import type { BucketName } from "../../../src/contract/names.ts";
import { sumTargets } from "../../../src/contract/used-targets.ts";
import { TargetCounts } from "../../../src/telemetry/target-counts.ts";

const named = (name: string): BucketName => name as BucketName;

function own(counts: TargetCounts, operation: "get" | "set", name: string): void {
  counts.countBucket(operation, "private", name, named(name));
}

describe("what a plugin used is counted", () => {
  test("by bucket, private and shared apart, and by target and method", () => {
    const counts = new TargetCounts();
    own(counts, "get", "a");
    own(counts, "get", "a");
    own(counts, "set", "a");
    own(counts, "set", "__proto__");
    counts.countBucket("get", "shared", "a", named("common"));
    for (const method of ["POST", "GET", "GET", "PROPFIND"]) counts.countHost("https://api.example.com", method);
    expect(counts.used()).toEqual({
      privateBuckets: [
        { name: "a", reads: 2, writes: 1 },
        { name: "__proto__", reads: 0, writes: 1 },
      ],
      sharedBuckets: [{ name: "a", bucket: "common", reads: 1, writes: 0 }],
      otherBuckets: 0,
      hosts: [
        { target: "https://api.example.com", methods: ["GET", "POST"], otherMethods: 1, requests: 4, addresses: [] },
      ],
      otherHosts: 0,
    });
  });

  test("the first few by name and the others by number", () => {
    const counts = new TargetCounts();
    const limit = FIXED_LIMITS.usedTargets;
    for (let index = 0; index < limit + 5; index += 1) {
      own(counts, "get", `b${index}`);
      counts.countHost(`https://h${index}.example.com`, "GET");
    }
    own(counts, "get", "b0");
    // Shared buckets are the operator's choice: a plugin's private ones take no place of theirs.
    counts.countBucket("get", "shared", "mine", named("common"));
    const { privateBuckets, sharedBuckets, otherBuckets, hosts, otherHosts } = counts.used();
    expect([privateBuckets.length, otherBuckets]).toEqual([limit, 5]);
    expect([hosts.length, otherHosts]).toEqual([limit, 5]);
    expect(privateBuckets[0]).toEqual({ name: "b0", reads: 2, writes: 0 });
    expect(sharedBuckets).toHaveLength(1);
  });

  test("under the shared bucket's name of today", () => {
    const counts = new TargetCounts();
    counts.countBucket("get", "shared", "mine", named("before"));
    counts.countBucket("get", "shared", "mine", named("after"));
    expect(counts.used().sharedBuckets).toEqual([{ name: "mine", bucket: "after", reads: 2, writes: 0 }]);
  });

  test("by each replica, and summed over them", () => {
    const [one, other] = [new TargetCounts(), new TargetCounts()];
    own(one, "get", "b");
    own(other, "set", "b");
    own(other, "set", "a");
    one.countHost("https://api.example.com", "POST");
    other.countHost("https://api.example.com", "GET");
    one.noteAddress("https://api.example.com", "10.0.0.2");
    other.noteAddress("https://api.example.com", "10.0.0.1");
    other.noteAddress("https://api.example.com", "10.0.0.2");
    // Counted with the others, or not at all: it has no place of its own.
    other.noteAddress("https://unknown.example.com", "10.0.0.3");
    expect(sumTargets([one.used(), other.used()])).toEqual({
      privateBuckets: [
        { name: "a", reads: 0, writes: 1 },
        { name: "b", reads: 1, writes: 1 },
      ],
      sharedBuckets: [],
      otherBuckets: 0,
      hosts: [
        {
          target: "https://api.example.com",
          methods: ["GET", "POST"],
          otherMethods: 0,
          requests: 2,
          addresses: ["10.0.0.1", "10.0.0.2"],
        },
      ],
      otherHosts: 0,
    });
  });
});
