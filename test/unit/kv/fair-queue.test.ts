import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { BucketName } from "../../../src/contract/names.ts";
import { FairQueue } from "../../../src/kv/fair-queue.ts";
import { Operation } from "../../../src/kv/operation.ts";
import { DeadlineTimer } from "../../../src/scheduling/deadline-timer.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

const WIDE = { queueOperations: 10_000, queueBytes: 1e9, queueTotalBytes: 1e9 };
const TIMER = new DeadlineTimer();
const ID_BYTES = "private/p/b/".length;

/** An operation on a value of its own. `place` is where it stands among those of its caller. */
function operationOf(caller: string, place: number, size: number): Operation<void> {
  const operation = new Operation<void>(
    {
      kind: "write",
      address: { namespace: { kind: "private", plugin: "p" }, bucket: "b" as BucketName, key: `${caller}-${place}` },
      value: new Uint8Array(size),
      options: { timeoutMs: 10_000, caller },
    },
    TIMER,
    () => undefined,
  );
  return operation;
}

const amounts = fc.dictionary(fc.constantFrom("a", "b", "c", "d", "e"), fc.integer({ min: 1, max: 60 }), {
  minKeys: 1,
});

test("callers take turns: nobody's operation waits for more of another one's than it stands behind of its own", () => {
  fc.assert(
    fc.property(amounts, fc.integer({ min: 1, max: 20 }), (waiting, batchOperations) => {
      const queue = new FairQueue<void>({ ...WIDE, batchOperations, batchBytes: 1e9 });
      const operations = Object.entries(waiting).flatMap(([caller, count]) =>
        Array.from({ length: count }, (_, place) => operationOf(caller, place, 1)),
      );
      for (const operation of operations) queue.add(operation);
      const taken: string[] = [];
      while (!queue.isEmpty) taken.push(...queue.takeBatch().map(({ address }) => address.key));
      const callers = Object.keys(waiting).length;
      for (const [position, key] of taken.entries()) {
        const place = Number(key.split("-")[1]);
        expect(position).toBeLessThan((place + 1) * callers);
      }
      expect(taken).toHaveLength(operations.length);
      for (const operation of operations) operation.succeed();
    }),
    { numRuns: 200, interruptAfterTimeLimit: PROPERTY_TIME_MS },
  );
});

test("every operation is taken once, in batches within their bounds, whatever the sizes", () => {
  const sizes = fc.array(fc.record({ caller: fc.constantFrom("a", "b", "c"), size: fc.nat({ max: 200 }) }), {
    maxLength: 80,
  });
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 300 }), (wanted, count, bytes) => {
      const queue = new FairQueue<void>({ ...WIDE, batchOperations: count, batchBytes: bytes });
      const operations = wanted.map(({ caller, size }, index) => operationOf(caller, index, size));
      for (const operation of operations) queue.add(operation);
      const taken: string[] = [];
      while (!queue.isEmpty) {
        const batch = queue.takeBatch();
        expect(batch.length).toBeGreaterThan(0);
        expect(batch.length).toBeLessThanOrEqual(count);
        const size = batch.reduce((sum, entry) => sum + entry.bytes, 0);
        if (batch.length > 1) expect(size).toBeLessThanOrEqual(bytes);
        taken.push(...batch.map(({ address }) => address.key));
      }
      expect(taken.toSorted()).toEqual(operations.map(({ address }) => address.key).toSorted());
      for (const operation of operations) operation.succeed();
    }),
    { numRuns: 200, interruptAfterTimeLimit: PROPERTY_TIME_MS },
  );
});

test("a large value that does not fit any more is the first of the next batch, and small ones fill this one", () => {
  const queue = new FairQueue<void>({ ...WIDE, batchOperations: 10, batchBytes: 1_000 });
  const operations = [
    operationOf("large", 0, 600),
    operationOf("large", 1, 600),
    ...[0, 1, 2].map((place) => operationOf("small", place, 10)),
  ];
  for (const operation of operations) queue.add(operation);
  const batches = [queue.takeBatch(), queue.takeBatch()].map((batch) => batch.map(({ address }) => address.key));
  expect(batches).toEqual([["large-0", "small-0", "small-1", "small-2"], ["large-1"]]);
  for (const operation of operations) operation.succeed();
});

test("a caller that asks for much fills no more than a quarter of a batch that another one is in", () => {
  const queue = new FairQueue<void>({ ...WIDE, batchOperations: 8, batchBytes: 1e9 });
  const many = Array.from({ length: 20 }, (_, place) => operationOf("many", place, 1));
  const operations = [...many, operationOf("few", 0, 1)];
  for (const operation of operations) queue.add(operation);
  const batches: string[][] = [];
  while (!queue.isEmpty) batches.push(queue.takeBatch().map(({ address }) => address.key));
  // Alone again, it may fill all of one.
  expect(batches.map((batch) => batch.length)).toEqual([3, 8, 8, 2]);
  expect(batches[0]).toEqual(["many-0", "few-0", "many-1"]);
  expect(batches.flat().filter((key) => key !== "few-0")).toEqual(many.map(({ address }) => address.key));
  for (const operation of operations) operation.succeed();
});

test("what is removed makes room", () => {
  const queue = new FairQueue<void>({ ...WIDE, queueBytes: 100, batchOperations: 4, batchBytes: 1_000 });
  const large = operationOf("a", 0, 100 - ID_BYTES - "a-0".length);
  const next = operationOf("a", 1, 0);
  queue.add(large);
  expect(() => queue.add(next)).toThrow(expect.objectContaining({ code: "store-unavailable" }));
  queue.remove(large);
  expect(queue.isEmpty).toBe(true);
  queue.add(next);
  expect(queue.takeBatch().map(({ address }) => address.key)).toEqual(["a-1"]);
  for (const operation of [large, next]) operation.succeed();
});
