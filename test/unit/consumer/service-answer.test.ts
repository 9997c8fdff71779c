import { describe, expect, test } from "vitest";
import { encodeAnswer, type ServiceDescription, VERBS } from "../../../src/consumer/service-answer.ts";
import type { BucketName } from "../../../src/contract/names.ts";
import type { UsedTargets } from "../../../src/contract/used-targets.ts";

const SIZES = Array.from({ length: 64 }, (_, index) => index);

const targets: UsedTargets = {
  privateBuckets: SIZES.map((index) => ({ name: `private-${index}`, reads: 2, writes: 1 })),
  sharedBuckets: SIZES.map((index) => ({
    name: `s-${index}`,
    bucket: `shared-${index}` as BucketName,
    reads: 1,
    writes: 0,
  })),
  otherBuckets: 5,
  hosts: SIZES.map((index) => ({
    target: `https://host-${index}.example`,
    methods: ["GET"],
    otherMethods: 0,
    requests: 3,
    addresses: SIZES.map((last) => `10.0.0.${last}`),
  })),
  otherHosts: 7,
};

const service: ServiceDescription = {
  name: "plugin",
  id: "replica",
  version: "1.0.0",
  description: "d".repeat(1_000),
  started: new Date(0),
  metadata: { digest: "0".repeat(64) },
  endpoints: [
    {
      name: "handle-request",
      subject: "rpc.plugin",
      queueGroup: "group",
      stats: { num_requests: 1, num_errors: 0, last_error: "", processing_time: 1, average_processing_time: 1 },
      data: { state: "granted", usedTargets: targets },
    },
  ],
};

interface Answer {
  readonly type: string;
  readonly truncated?: boolean;
  readonly endpoints: readonly { readonly data: { readonly state: string; readonly usedTargets: UsedTargets } }[];
}

function answer(verb: (typeof VERBS)[number], maxBytes: number): Answer | undefined {
  const encoded = encodeAnswer(verb, service, maxBytes);
  expect(encoded?.length ?? 0).toBeLessThanOrEqual(maxBytes);
  return encoded === undefined ? undefined : (JSON.parse(Buffer.from(encoded).toString()) as Answer);
}

function operations({
  privateBuckets,
  sharedBuckets,
  otherBuckets,
  hosts,
  otherHosts,
}: UsedTargets): readonly number[] {
  return [
    [...privateBuckets, ...sharedBuckets].reduce((sum, { reads, writes }) => sum + reads + writes, otherBuckets),
    hosts.reduce((sum, { requests }) => sum + requests, otherHosts),
  ];
}

describe("a service's answer", () => {
  test("is whole where the server takes it", () => {
    for (const verb of VERBS) expect(answer(verb, 1024 * 1024)?.truncated).toBeUndefined();
    expect(answer("STATS", 1024 * 1024)?.endpoints[0]?.data.usedTargets).toEqual(targets);
  });

  test.each([50_000, 10_000, 4_000, 1_000])(
    "of at most %i bytes says that it is shortened, and counts all the same",
    (maxBytes) => {
      const shortened = answer("STATS", maxBytes);
      expect(shortened?.truncated).toBe(true);
      const data = shortened?.endpoints[0]?.data;
      expect(data?.state).toBe("granted");
      expect(data === undefined ? [] : operations(data.usedTargets)).toEqual(operations(targets));
    },
  );

  test("to INFO loses the end of its description", () => {
    expect(answer("INFO", 600)).toMatchObject({
      type: "io.nats.micro.v1.info_response",
      truncated: true,
      description: "d".repeat(64),
    });
  });

  test("is absent where not even the shortest one fits", () => {
    for (const verb of VERBS) expect(answer(verb, 50)).toBeUndefined();
  });
});
