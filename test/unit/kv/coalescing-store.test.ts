import { setTimeout as pause } from "node:timers/promises";
import * as fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import type { BucketName } from "../../../src/contract/names.ts";
import { addressId } from "../../../src/kv/address.ts";
import { createCoalescingStore } from "../../../src/kv/coalescing-store.ts";
import type { KeyAddress } from "../../../src/kv/store.ts";
import { until } from "../../../scripts/lib/until.ts";
import { ScriptedDriver } from "./scripted-driver.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

/** All that an operation may have, for those that are not about time. */
const OPTIONS = { timeoutMs: FIXED_LIMITS.storeOperationMs };

function at(key: string, plugin = "p"): KeyAddress {
  return { namespace: { kind: "private", plugin }, bucket: "b" as BucketName, key };
}

const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (value: Uint8Array | undefined): string | undefined => value && Buffer.from(value).toString();
const names = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `k${index}`);
const nextTick = (): Promise<void> =>
  new Promise((resolve) => {
    process.nextTick(resolve);
  });

/** The code an operation fails with, or "done". */
function codeOf(operation: Promise<unknown>): Promise<string> {
  return operation.then(
    () => "done",
    (error: { code: string }) => error.code,
  );
}

describe("operations of one turn", () => {
  test("go together when it ends: reads in one batch, writes in another", async () => {
    const driver = new ScriptedDriver();
    const store = createCoalescingStore(driver);
    const all = names(10).flatMap((key) => [store.set(at(key), bytes(key), OPTIONS), store.get(at(key), OPTIONS)]);
    expect(driver.batches).toEqual([]);
    await nextTick();
    expect(driver.batches.map(({ kind, keys }) => [kind, keys])).toEqual(
      expect.arrayContaining([
        ["read", names(10)],
        ["write", names(10)],
      ]),
    );
    await Promise.all(all);
    expect(driver.batches).toHaveLength(2);
  });

  test("are told of when their batch has ended: how many, and the bytes of keys and values", async () => {
    const batches: unknown[] = [];
    const store = createCoalescingStore(new ScriptedDriver(), {
      onBatch: (kind, { operations, bytes: moved }) => batches.push([kind, operations, moved]),
    });
    const keyBytes = addressId(at("a")).length;
    await Promise.all([
      store.set(at("a"), bytes("old"), OPTIONS),
      store.set(at("a"), bytes("newer"), OPTIONS),
      store.set(at("b"), bytes("value"), OPTIONS),
    ]);
    // The driver's promise settles after those of the operations.
    await until(() => batches.length === 1, { what: "the batch of writes has ended", intervalMs: 1 });
    await Promise.all([store.get(at("a"), OPTIONS), store.get(at("a"), OPTIONS), store.get(at("x"), OPTIONS)]);
    await until(() => batches.length === 2, { what: "the batch of reads has ended", intervalMs: 1 });
    expect(batches).toEqual([
      ["write", 3, 2 * keyBytes + "newer".length + "value".length],
      ["read", 3, 2 * keyBytes + "newer".length],
    ]);
  });

  test("wait for nothing: a lone one goes at the end of its turn", async () => {
    const driver = new ScriptedDriver();
    const store = createCoalescingStore(driver);
    const get = store.get(at("k"), OPTIONS);
    await nextTick();
    expect(driver.batches).toHaveLength(1);
    expect(await get).toBeUndefined();
  });

  test("keep their own results and errors, whatever batches they are put into", async () => {
    const key = fc.constantFrom("a", "b", "c", "d", "e", "f");
    const operation = fc.record({ kind: fc.constantFrom("get", "set"), key, value: fc.string({ maxLength: 6 }) });
    const scene = fc.record({
      rounds: fc.array(fc.array(operation, { maxLength: 12 }), { maxLength: 6 }),
      failing: fc.uniqueArray(key, { maxLength: 2 }),
      batchOperations: fc.integer({ min: 1, max: 5 }),
      batchBytes: fc.integer({ min: 1, max: 40 }),
      parallelBatches: fc.integer({ min: 1, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(scene, async ({ rounds, failing, parallelBatches, ...limits }) => {
        const driver = new ScriptedDriver(parallelBatches);
        for (const key of failing) driver.failures.set(key, "store-outcome-unknown");
        const store = createCoalescingStore(driver, { limits });
        const before = new Map<string, string>();
        for (const round of rounds) {
          const written = (key: string): (string | undefined)[] =>
            round.filter((other) => other.kind === "set" && other.key === key).map(({ value }) => value);
          const outcomes = await Promise.all(
            round.map(({ kind, key, value }) =>
              kind === "get"
                ? store.get(at(key), OPTIONS).then(text, (error: { code: string }) => error)
                : store.set(at(key), bytes(value), OPTIONS).catch((error: { code: string }) => error),
            ),
          );
          for (const [index, { kind, key }] of round.entries()) {
            if (failing.includes(key)) expect(outcomes[index]).toMatchObject({ code: "store-outcome-unknown" });
            else if (kind === "set") expect(outcomes[index]).toBeUndefined();
            else expect([before.get(key), ...written(key)]).toContain(outcomes[index]);
          }
          for (const [key, value] of driver.values) {
            if (written(key).length > 0) expect(written(key)).toContain(text(value));
            before.set(key, text(value) ?? "");
          }
        }
        expect(driver.mostUnderWay).toBeLessThanOrEqual(2 * parallelBatches);
        for (const batch of driver.batches) {
          expect(batch.keys.length).toBeLessThanOrEqual(limits.batchOperations);
          expect(new Set(batch.keys).size).toBe(batch.keys.length);
          if (batch.keys.length > 1) expect(batch.bytes).toBeLessThanOrEqual(limits.batchBytes);
        }
      }),
      { numRuns: 300, interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
  });
});

describe("operations on one value", () => {
  test("that wait together are one write, of the last value, which acknowledges them all", async () => {
    const driver = new ScriptedDriver();
    const store = createCoalescingStore(driver);
    await Promise.all(names(64).map((value) => store.set(at("hot"), bytes(value), OPTIONS)));
    expect(driver.batches).toEqual([expect.objectContaining({ kind: "write", keys: ["hot"] })]);
    expect(text(driver.values.get("hot"))).toBe("k63");
  });

  test("are not put to what is in flight: who begins after a write has ended sees it", async () => {
    const driver = new ScriptedDriver(2);
    const store = createCoalescingStore(driver, { limits: { batchWaitMs: 0 } });
    const release = driver.hold();
    const first = store.get(at("k"), OPTIONS);
    await until(() => driver.batches.length === 1, { what: "the first read is in flight" });
    driver.values.set("k", bytes("later"));
    const second = store.get(at("k"), OPTIONS);
    await until(() => driver.batches.length === 2, { what: "the second read is in flight", intervalMs: 1 });
    release();
    expect(text(await second)).toBe("later");
    await first;
  });

  test("of which the last one's time is over before it is sent are the last of the others", async () => {
    const driver = new ScriptedDriver();
    const store = createCoalescingStore(driver);
    const release = driver.hold();
    const kept = store.set(at("k"), bytes("kept"), OPTIONS);
    const late = store.set(at("k"), bytes("late"), { timeoutMs: 10 });
    await expect(late).rejects.toMatchObject({ code: "store-unavailable" });
    release();
    await kept;
    expect(text(driver.values.get("k"))).toBe("kept");
  });

  test("that nobody waits for any more are not performed", async () => {
    const driver = new ScriptedDriver();
    const store = createCoalescingStore(driver);
    const release = driver.hold();
    await expect(store.set(at("k"), bytes("v"), { timeoutMs: 10 })).rejects.toMatchObject({
      code: "store-unavailable",
    });
    release();
    await store.get(at("k"), OPTIONS);
    expect(driver.values.size).toBe(0);
  });
});

describe("an operation with little time", () => {
  test("ends by itself; those beside it have theirs", async () => {
    const driver = new ScriptedDriver();
    const store = createCoalescingStore(driver);
    const release = driver.hold();
    const patient = store.set(at("patient"), bytes("v"), OPTIONS);
    const hasty = store.set(at("hasty"), bytes("v"), { timeoutMs: 10 });
    await expect(hasty).rejects.toMatchObject({ code: "store-unavailable" });
    expect(driver.batches[0]?.timeoutMs).toBeGreaterThan(OPTIONS.timeoutMs / 2);
    release();
    await patient;
    expect([...driver.values.keys()]).toEqual(["patient"]);
  });

  test("that was sent is a time-out if it is a read, and of unknown outcome if it is a write", async () => {
    const driver = new ScriptedDriver();
    // Their time must not be over before they were sent.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    try {
      const store = createCoalescingStore({
        kind: "silent",
        parallelBatches: 1,
        readBatch: async (entries) => entries.forEach((entry) => entry.send()),
        writeBatch: async (entries) => entries.forEach((entry) => entry.send()),
        ping: () => driver.ping(),
        [Symbol.asyncDispose]: () => driver[Symbol.asyncDispose](),
      });
      const codes = [store.get(at("k"), { timeoutMs: 10 }), store.set(at("k"), bytes("v"), { timeoutMs: 10 })];
      const outcomes = Promise.all(codes.map(codeOf));
      await vi.advanceTimersByTimeAsync(10);
      expect(await outcomes).toEqual(["store-timeout", "store-outcome-unknown"]);
    } finally {
      vi.useRealTimers();
    }
  });

  test("that waits in vain for its turn leaves the queue", async () => {
    const driver = new ScriptedDriver();
    const store = createCoalescingStore(driver, { limits: { queueOperations: 2 } });
    const release = driver.hold();
    const first = store.get(at("first"), OPTIONS);
    await nextTick();
    const waiting = names(3).map((key) => codeOf(store.get(at(key), { timeoutMs: 10 })));
    expect(await Promise.all(waiting)).toEqual(["store-unavailable", "store-unavailable", "store-unavailable"]);
    const next = store.get(at("next"), OPTIONS);
    release();
    await Promise.all([first, next]);
    expect(driver.batches.map(({ keys }) => keys)).toEqual([["first"], ["next"]]);
  });
});

describe("batches", () => {
  test("grow while one is in flight, and are never more than may be", async () => {
    const driver = new ScriptedDriver(2);
    const store = createCoalescingStore(driver, { limits: { batchOperations: 8, batchWaitMs: 60_000 } });
    const release = driver.hold();
    const all = [store.get(at("first"), OPTIONS)];
    await nextTick();
    for (const key of names(7)) {
      all.push(store.get(at(key), OPTIONS));
      await nextTick();
    }
    expect(driver.batches, "they wait for the first one").toHaveLength(1);
    all.push(store.get(at("k7"), OPTIONS));
    await nextTick();
    expect(driver.batches, "a full one does not wait").toHaveLength(2);
    all.push(...names(20).map((key) => store.get(at(key), OPTIONS)));
    await nextTick();
    expect(driver.batches, "but two are in flight").toHaveLength(2);
    release();
    await Promise.all(all);
    expect(driver.batches.map(({ keys }) => keys.length)).toEqual([1, 8, 8, 8, 4]);
    expect(driver.mostUnderWay).toBe(2);
  });

  test("do not wait long for one that takes its time", async () => {
    const driver = new ScriptedDriver(2);
    const store = createCoalescingStore(driver, { limits: { batchWaitMs: 1 } });
    const release = driver.hold();
    const slow = store.get(at("slow"), OPTIONS);
    await nextTick();
    const next = store.get(at("next"), OPTIONS);
    await until(() => driver.batches.length === 2, { what: "the next batch goes", intervalMs: 1 });
    release();
    await Promise.all([slow, next]);
  });

  test("of a driver that is broken fail all they hold, and the next ones go on", async () => {
    const driver = new ScriptedDriver();
    const store = createCoalescingStore({
      kind: "broken",
      parallelBatches: 1,
      readBatch: () => Promise.reject(new Error("a bug")),
      writeBatch: (entries, timeoutMs) => driver.writeBatch(entries, timeoutMs),
      ping: () => driver.ping(),
      [Symbol.asyncDispose]: () => driver[Symbol.asyncDispose](),
    });
    expect(await Promise.all(names(3).map((key) => codeOf(store.get(at(key), OPTIONS))))).toEqual(
      Array(3).fill("internal"),
    );
    expect(await codeOf(store.get(at("k"), OPTIONS))).toBe("internal");
    expect(await codeOf(store.set(at("k"), bytes("v"), OPTIONS))).toBe("done");
  });
});

describe("a plugin that asks for much", () => {
  test("is refused what its queue has no room for; another one is not", async () => {
    const driver = new ScriptedDriver();
    const store = createCoalescingStore(driver, { limits: { queueOperations: 10, batchOperations: 4 } });
    const release = driver.hold();
    const first = store.get(at("first"), OPTIONS);
    await nextTick();
    const flood = names(12).map((key) => codeOf(store.get(at(key), { ...OPTIONS, caller: "flooding" })));
    const other = codeOf(store.get(at("other"), { ...OPTIONS, caller: "quiet" }));
    release();
    expect(await Promise.all(flood)).toEqual([...Array(10).fill("done"), "store-unavailable", "store-unavailable"]);
    expect(await other).toBe("done");
    await first;
    expect(driver.batches[1]?.keys).toContain("other");
  });

  test("of large values is refused beyond its bytes, and all together beyond theirs", async () => {
    const driver = new ScriptedDriver();
    const store = createCoalescingStore(driver, { limits: { queueBytes: 1_000, queueTotalBytes: 1_500 } });
    const release = driver.hold();
    const first = store.set(at("first"), bytes("v"), OPTIONS);
    await nextTick();
    const set = (caller: string, size: number): Promise<string> =>
      codeOf(store.set(at(`${caller}${size}`, "p"), new Uint8Array(size), { ...OPTIONS, caller }));
    const outcomes = [set("a", 800), set("a", 300), set("b", 600), set("c", 200), set("c", 10)];
    release();
    expect(await Promise.all(outcomes)).toEqual(["done", "store-unavailable", "done", "store-unavailable", "done"]);
    await first;
  });
});

describe("an operation that is no longer wanted when it could be sent", () => {
  test("is not sent, fails at once, and holds up no other one", async () => {
    const driver = new ScriptedDriver();
    const store = createCoalescingStore(driver);
    const release = driver.hold();
    let isWanted = true;
    const revocable = { ...OPTIONS, isWanted: () => isWanted };
    // The first is part of a batch that waits; the others wait for the next one.
    const begun = codeOf(store.set(at("begun"), bytes("v"), revocable));
    await nextTick();
    const waiting = ["k0", "k1"].map((key) => codeOf(store.set(at(key), bytes("v"), revocable)));
    const others = [store.set(at("k2"), bytes("v"), OPTIONS), store.set(at("k3", "q"), bytes("v"), OPTIONS)].map(
      codeOf,
    );
    isWanted = false;
    release();
    expect(await begun).toBe("store-unavailable");
    expect(await Promise.all([...waiting, ...others])).toEqual([
      "store-unavailable",
      "store-unavailable",
      "done",
      "done",
    ]);
    expect([...driver.values.keys()]).toEqual(["k2", "k3"]);
  });
});

describe("a store that is closed", () => {
  test("performs what it has taken, then closes its driver once", async () => {
    const driver = new ScriptedDriver();
    const store = createCoalescingStore(driver);
    const write = store.set(at("k"), bytes("v"), OPTIONS);
    await Promise.all([store[Symbol.asyncDispose](), store[Symbol.asyncDispose]()]);
    await write;
    expect(text(driver.values.get("k"))).toBe("v");
    expect(driver.isClosed).toBe(true);
    expect(await codeOf(store.get(at("k"), OPTIONS))).toBe("store-unavailable");
  });

  test("does not wait for a driver longer than for the operations", async () => {
    const driver = new ScriptedDriver();
    const store = createCoalescingStore(driver);
    const release = driver.hold();
    const write = codeOf(store.set(at("k"), bytes("v"), { timeoutMs: 10 }));
    await Promise.race([store[Symbol.asyncDispose](), pause(30_000, undefined, { ref: false })]);
    expect(driver.isClosed).toBe(true);
    expect(await write).toBe("store-unavailable");
    release();
  });
});
