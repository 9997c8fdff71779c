/**
 * What every driver of the key-value store must do. A driver's test file calls
 * {@link describeKeyValueStore} and adds what is its own.
 *
 * @module
 */

import { randomUUID } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import type { BucketName } from "../../../src/contract/names.ts";
import type { KeyAddress, KeyValueStore, Namespace } from "../../../src/kv/store.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

/** A driver under test. */
export interface StoreUnderTest {
  /** A new handle. Unless `handles` is "separate" all handles reach the same data, as replicas do. */
  readonly open: () => Promise<KeyValueStore>;
  readonly handles: "same-data" | "separate";
}

const OPTIONS = { timeoutMs: FIXED_LIMITS.storeOperationMs };
const MIB = 1024 * 1024;

/** Keys that some layer below may take for something else than data. */
export const HOSTILE_KEYS: readonly string[] = [
  "a",
  "A",
  " a",
  "a ",
  "a\0b",
  "a\0",
  "\0",
  "../b/a",
  "/a",
  "a/",
  "a//b",
  "$where",
  "$gt",
  '{"$gt":""}',
  '{"_id":"a"}',
  "a.b",
  "__proto__",
  "constructor",
  "' OR 1=1 --",
  '"; DROP TABLE entry; --',
  "%2F",
  "%00",
  "x'00'",
  "\u00e9",
  "e\u0301",
  "\u{1F600}",
  "\uFEFFa",
  "\u202Ea",
  "\n",
  "\u2028",
  "\uFFFD",
  "1",
  "01",
  "k".repeat(8_192),
];

const privateTo = (plugin: string): Namespace => ({ kind: "private", plugin });
const sharedAs = (name: string): Namespace => ({ kind: "shared", name });

/** Namespaces and buckets that run together if they are only written one behind the other. */
const LOOK_ALIKES: readonly (readonly [Namespace, string])[] = [
  [privateTo("a"), "b-c"],
  [privateTo("a-b"), "c"],
  [privateTo("a"), "b"],
  [privateTo("b"), "a"],
  [privateTo("x"), "x"],
  [sharedAs("x"), "x"],
  [privateTo("shared"), "x"],
  [privateTo("private"), "x"],
  [sharedAs("private"), "x"],
  [privateTo("a"), "b.c"],
  [privateTo("a"), "b_c"],
  [privateTo("a"), "B-C"],
];

function addressOf(namespace: Namespace, bucket: string, key: string): KeyAddress {
  return { namespace, bucket: bucket as BucketName, key };
}

/** A place that no other test has. */
function freshPlace(): (key: string) => KeyAddress {
  const namespace = privateTo(`p-${randomUUID()}`);
  return (key) => addressOf(namespace, "bucket", key);
}

/** Every byte the same, so that a mix of two values is seen. */
function filled(bytes: number, byte: number): Uint8Array {
  return new Uint8Array(bytes).fill(byte);
}

/** Byte by byte, which the matchers of the test library do slowly. */
function expectBytes(actual: Uint8Array | undefined, expected: Uint8Array): void {
  expect(actual).toBeInstanceOf(Uint8Array);
  expect(actual?.length).toBe(expected.length);
  expect(Buffer.compare(actual as Uint8Array, expected)).toBe(0);
}

/** Registers the suite. */
export function describeKeyValueStore(name: string, under: StoreUnderTest): void {
  describe(`${name} as a key-value store`, () => {
    describeValues(under);
    describeAddresses(under);
    describeWriters(under);
    describeClosing(under);
  });
}

function describeValues({ open }: StoreUnderTest): void {
  test("gives back what was set", async () => {
    await using store = await open();
    const at = freshPlace();
    await store.set(at("k"), Buffer.from("value"), OPTIONS);
    expectBytes(await store.get(at("k"), OPTIONS), Buffer.from("value"));
  });

  test("replaces a value whole, also by a shorter one", async () => {
    await using store = await open();
    const at = freshPlace();
    await store.set(at("k"), filled(1000, 1), OPTIONS);
    await store.set(at("k"), filled(10, 2), OPTIONS);
    expectBytes(await store.get(at("k"), OPTIONS), filled(10, 2));
  });

  test("gives undefined for a key that was never set", async () => {
    await using store = await open();
    expect(await store.get(freshPlace()("never"), OPTIONS)).toBeUndefined();
  });

  test("keeps an empty value apart from no value", async () => {
    await using store = await open();
    const at = freshPlace();
    await store.set(at("k"), new Uint8Array(0), OPTIONS);
    expectBytes(await store.get(at("k"), OPTIONS), new Uint8Array(0));
    await store.set(at("k"), filled(1, 1), OPTIONS);
    await store.set(at("k"), new Uint8Array(0), OPTIONS);
    expectBytes(await store.get(at("k"), OPTIONS), new Uint8Array(0));
  });

  test("keeps every byte value as it is", async () => {
    await using store = await open();
    const at = freshPlace();
    const value = Uint8Array.from({ length: 512 }, (_, index) => index & 0xff);
    await store.set(at("k"), value, OPTIONS);
    expectBytes(await store.get(at("k"), OPTIONS), value);
  });

  test("stores only the view of a larger buffer that it was given", async () => {
    await using store = await open();
    const at = freshPlace();
    const whole = filled(64, 1);
    whole.fill(2, 8, 24);
    await store.set(at("k"), whole.subarray(8, 24), OPTIONS);
    expectBytes(await store.get(at("k"), OPTIONS), filled(16, 2));
  });

  test("holds 15 MiB under the longest key", async () => {
    await using store = await open();
    const at = freshPlace();
    const value = filled(15 * MIB, 7);
    await store.set(at("k".repeat(8_192)), value, OPTIONS);
    expectBytes(await store.get(at("k".repeat(8_192)), OPTIONS), value);
  });

  test("answers a ping", async () => {
    await using store = await open();
    await store.ping(OPTIONS);
  });
}

function describeAddresses({ open }: StoreUnderTest): void {
  test("keeps keys apart that look like operators, paths, statements or each other", async () => {
    await using store = await open();
    const at = freshPlace();
    for (const [index, key] of HOSTILE_KEYS.entries()) {
      expect(await store.get(at(key), OPTIONS), key.slice(0, 20)).toBeUndefined();
      await store.set(at(key), filled(3, index), OPTIONS);
    }
    for (const [index, key] of HOSTILE_KEYS.entries()) expectBytes(await store.get(at(key), OPTIONS), filled(3, index));
  });

  test("compares keys by their bytes: a precomposed character is not its decomposed form", async () => {
    await using store = await open();
    const at = freshPlace();
    await store.set(at("\u00e9"), filled(1, 1), OPTIONS);
    expect(await store.get(at("e\u0301"), OPTIONS)).toBeUndefined();
  });

  test("keeps namespaces and buckets apart whose names run together", async () => {
    await using store = await open();
    const key = randomUUID();
    for (const [index, [namespace, bucket]] of LOOK_ALIKES.entries()) {
      const address = addressOf(namespace, bucket, key);
      expect(await store.get(address, OPTIONS), JSON.stringify(address)).toBeUndefined();
      await store.set(address, filled(2, index), OPTIONS);
    }
    for (const [index, [namespace, bucket]] of LOOK_ALIKES.entries())
      expectBytes(await store.get(addressOf(namespace, bucket, key), OPTIONS), filled(2, index));
  });

  test("behaves like a map, whatever the order of operations", async () => {
    await using store = await open();
    const part = fc.constantFrom("a", "b", "a-b", "b-c", "x");
    const namespace = fc.oneof(part.map(privateTo), part.map(sharedAs));
    const key = fc.oneof(
      fc.constantFrom(...HOSTILE_KEYS),
      fc.string({ unit: "binary", minLength: 1, maxLength: 12 }),
      fc.constantFrom("a/b", "b", "a/", "/a/b"),
    );
    const step = fc.record({
      write: fc.boolean(),
      namespace,
      bucket: part,
      key,
      value: fc.uint8Array({ maxLength: 40 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        // A bucket of its own for each run, since runs share the store.
        const run = randomUUID();
        const model = new Map<string, Uint8Array>();
        for (const { write, namespace, bucket, key, value } of steps) {
          const address = addressOf(namespace, `${bucket}.${run}`, key);
          const modelKey = JSON.stringify([namespace, bucket, key]);
          if (write) {
            await store.set(address, value, OPTIONS);
            model.set(modelKey, value);
          }
          const expected = model.get(modelKey);
          const actual = await store.get(address, OPTIONS);
          if (expected === undefined) expect(actual).toBeUndefined();
          else expectBytes(actual, expected);
        }
      }),
      { numRuns: 40, interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
  });
}

function describeWriters({ open, handles }: StoreUnderTest): void {
  test("leaves one writer's whole value when many set the same new key at once", async () => {
    await using store = await open();
    await raceOnOneKey([store]);
  });

  test("keeps every value when many set different keys at once", async () => {
    await using store = await open();
    await raceOnManyKeys([store]);
  });

  if (handles === "separate") return;

  describe("with two handles on the same data", () => {
    test("one reads what the other wrote", async () => {
      await using one = await open();
      await using other = await open();
      const at = freshPlace();
      for (let round = 0; round < 10; round++) {
        await one.set(at("k"), filled(4, round), OPTIONS);
        expectBytes(await other.get(at("k"), OPTIONS), filled(4, round));
        await other.set(at("k"), filled(5, round), OPTIONS);
        expectBytes(await one.get(at("k"), OPTIONS), filled(5, round));
      }
    });

    test("concurrent writers leave whole values", async () => {
      await using one = await open();
      await using other = await open();
      await raceOnOneKey([one, other]);
      await raceOnManyKeys([one, other]);
    });

    test("data outlives the handle that wrote it", async () => {
      const at = freshPlace();
      {
        await using store = await open();
        await store.set(at("k"), filled(9, 9), OPTIONS);
      }
      await using later = await open();
      expectBytes(await later.get(at("k"), OPTIONS), filled(9, 9));
    });
  });
}

const WRITERS = 24;
const RACE_BYTES = 64 * 1024;

async function raceOnOneKey(stores: readonly KeyValueStore[]): Promise<void> {
  const address = freshPlace()("contended");
  const writes = Array.from({ length: WRITERS }, async (_, writer) => {
    const store = stores[writer % stores.length] as KeyValueStore;
    await store.set(address, filled(RACE_BYTES, writer), OPTIONS);
    const seen = await store.get(address, OPTIONS);
    expectBytes(seen, filled(RACE_BYTES, seen?.[0] ?? 0));
  });
  await Promise.all(writes);
  const finals = await Promise.all(stores.map((store) => store.get(address, OPTIONS)));
  for (const final of finals) expectBytes(final, finals[0] as Uint8Array);
  expect(finals[0]?.[0]).toBeLessThan(WRITERS);
}

async function raceOnManyKeys(stores: readonly KeyValueStore[]): Promise<void> {
  const at = freshPlace();
  const storeOf = (writer: number): KeyValueStore => stores[writer % stores.length] as KeyValueStore;
  const writers = Array.from({ length: 100 }, (_, writer) => writer);
  await Promise.all(writers.map((writer) => storeOf(writer).set(at(`k${writer}`), filled(100, writer), OPTIONS)));
  const values = await Promise.all(writers.map((writer) => storeOf(writer + 1).get(at(`k${writer}`), OPTIONS)));
  for (const [writer, value] of values.entries()) expectBytes(value, filled(100, writer));
}

function describeClosing({ open }: StoreUnderTest): void {
  test("may be closed twice, also at once", async () => {
    const store = await open();
    await Promise.all([store[Symbol.asyncDispose](), store[Symbol.asyncDispose]()]);
    await store[Symbol.asyncDispose]();
    await expect(store.ping(OPTIONS)).rejects.toMatchObject({ code: "store-unavailable" });
  });

  test("fails operations after the close with store-unavailable", async () => {
    const store = await open();
    const at = freshPlace();
    await store.set(at("k"), filled(1, 1), OPTIONS);
    await store[Symbol.asyncDispose]();
    await expect(store.get(at("k"), OPTIONS)).rejects.toMatchObject({ code: "store-unavailable" });
    await expect(store.set(at("k"), filled(1, 2), OPTIONS)).rejects.toMatchObject({ code: "store-unavailable" });
    await expect(store.ping(OPTIONS)).rejects.toMatchObject({ code: "store-unavailable" });
  });

  test("settles operations that are in flight when it is closed", async () => {
    const store = await open();
    const at = freshPlace();
    const writes = Array.from({ length: 20 }, (_, index) => store.set(at(`k${index}`), filled(10, index), OPTIONS));
    const [outcomes] = await Promise.all([Promise.allSettled(writes), store[Symbol.asyncDispose]()]);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "store-unavailable" });
    }
  });
}
