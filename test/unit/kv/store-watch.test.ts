import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import type { BucketName } from "../../../src/contract/names.ts";
import { createCoalescingStore } from "../../../src/kv/coalescing-store.ts";
import { openSqliteStore } from "../../../src/kv/drivers/sqlite.ts";
import type { KeyAddress, KeyValueStore } from "../../../src/kv/store.ts";
import { type StoreNeeds, type StoreState, StoreWatch } from "../../../src/kv/store-watch.ts";
import { ScriptedDriver } from "./scripted-driver.ts";

const READ_ONLY: StoreNeeds = { read: true, write: false };
const BOTH: StoreNeeds = { read: true, write: true };
const OWN_KEY = "last-write";
const INTERVAL_MS = FIXED_LIMITS.storeOwnWriteIntervalMs;
const PLUGINS: KeyAddress = { namespace: { kind: "private", plugin: "p" }, bucket: "b" as BucketName, key: "k" };

/** A store over a driver that is told what to do, and the watch on it. */
class Scene implements AsyncDisposable {
  readonly driver = new ScriptedDriver();
  readonly store: KeyValueStore;
  readonly watch: StoreWatch;
  readonly states: StoreState[] = [];
  needs: StoreNeeds;

  constructor(needs: StoreNeeds) {
    this.needs = needs;
    this.store = createCoalescingStore(this.driver, {
      onBatch: (kind, { succeeded }) => {
        if (kind === "write" && succeeded > 0) this.watch.noteWritten();
      },
    });
    this.watch = new StoreWatch({
      store: this.store,
      needs: () => this.needs,
      changed: (state) => this.states.push(state),
    });
  }

  get writes(): number {
    return this.driver.batches.filter(({ kind, keys }) => kind === "write" && keys.includes(OWN_KEY)).length;
  }

  async look(): Promise<StoreState> {
    const state = this.watch.look();
    await vi.advanceTimersByTimeAsync(1);
    return await state;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.watch[Symbol.dispose]();
    const closed = this.store[Symbol.asyncDispose]();
    await vi.advanceTimersByTimeAsync(FIXED_LIMITS.storeOperationMs);
    await closed;
  }
}

beforeEach(
  () =>
    void vi.useFakeTimers({
      toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance", "Date"],
    }),
);
afterEach(() => void vi.useRealTimers());

describe("a store that plugins may read", () => {
  test("is up when it can be read, and nothing is written", async () => {
    await using scene = new Scene(READ_ONLY);
    expect(await scene.look()).toEqual({ kind: "up" });
    expect(scene.driver.batches.map(({ kind }) => kind)).not.toContain("write");
  });

  test("is down with its reason when it cannot be read", async () => {
    await using scene = new Scene(READ_ONLY);
    scene.driver.failures.set(OWN_KEY, "store-timeout");
    expect(await scene.look()).toMatchObject({ kind: "down", reason: expect.stringMatching(/read in time/) as string });
  });

  test("is only asked for an answer where no plugin may read", async () => {
    await using scene = new Scene({ read: false, write: false });
    expect(await scene.look()).toEqual({ kind: "up" });
    expect(scene.driver.batches).toEqual([]);
  });
});

describe("a write of the host's own", () => {
  test("that is refused makes the store down, whatever can be read", async () => {
    await using scene = new Scene(READ_ONLY);
    await scene.look();
    scene.needs = BOTH;
    scene.driver.failures.set(OWN_KEY, "store-unavailable");
    vi.spyOn(scene.store, "get").mockResolvedValue(undefined);
    expect(await scene.look()).toMatchObject({ kind: "down" });
  });

  test("is made once in a while, however often somebody looks, and at once when a plugin may write", async () => {
    await using scene = new Scene(READ_ONLY);
    await scene.look();
    scene.needs = BOTH;
    for (let look = 0; look < 20; look += 1) await scene.look();
    expect(scene.writes).toBe(1);
    await vi.advanceTimersByTimeAsync(3 * INTERVAL_MS);
    expect(scene.writes, "also when nobody looks").toBeGreaterThanOrEqual(3);
    expect(scene.writes).toBeLessThanOrEqual(4);
  });

  test("is not made where plugins' writes succeed, and their success is the newer sign", async () => {
    await using scene = new Scene(BOTH);
    scene.driver.failures.set(OWN_KEY, "store-unavailable");
    vi.spyOn(scene.store, "get").mockResolvedValue(undefined);
    expect(await scene.look()).toMatchObject({ kind: "down" });
    const before = scene.writes;
    for (let second = 0; second < 60; second += 1) {
      await scene.store.set(PLUGINS, Buffer.from("v"), { timeoutMs: 1_000 });
      await vi.advanceTimersByTimeAsync(1_000);
      expect(await scene.look()).toEqual({ kind: "up" });
    }
    expect(scene.writes).toBe(before);
  });

  test("follows when plugins' writes have failed for as long, since those may fail by themselves", async () => {
    await using scene = new Scene(BOTH);
    await scene.look();
    scene.driver.failures.set(PLUGINS.key, "store-unavailable");
    await expect(scene.store.set(PLUGINS, Buffer.from("v"), { timeoutMs: 1_000 })).rejects.toThrow();
    expect(await scene.look()).toEqual({ kind: "up" });
    await vi.advanceTimersByTimeAsync(2 * INTERVAL_MS);
    expect(scene.writes).toBeGreaterThanOrEqual(2);
  });

  test("writes another value each time", async () => {
    await using scene = new Scene(BOTH);
    await scene.look();
    const first = scene.driver.values.get(OWN_KEY);
    await vi.advanceTimersByTimeAsync(2 * INTERVAL_MS);
    expect(scene.driver.values.get(OWN_KEY)).not.toEqual(first);
  });

  test("that is slow: a look does not wait longer for it than for a read, and goes by the sign before it", async () => {
    await using scene = new Scene(BOTH);
    await scene.look();
    await vi.advanceTimersByTimeAsync(INTERVAL_MS - 1);
    vi.spyOn(scene.store, "get").mockResolvedValue(undefined);
    const release = scene.driver.hold();
    await vi.advanceTimersByTimeAsync(2);
    const look = scene.watch.look();
    await vi.advanceTimersByTimeAsync(FIXED_LIMITS.storeLookMs);
    expect(await look).toEqual({ kind: "up" });
    release();
  });

  test("that is not answered in its time is a failure", async () => {
    await using scene = new Scene(BOTH);
    await scene.look();
    vi.spyOn(scene.store, "get").mockResolvedValue(undefined);
    const release = scene.driver.hold();
    await vi.advanceTimersByTimeAsync(INTERVAL_MS + FIXED_LIMITS.storeOwnWriteMs + FIXED_LIMITS.storeLookMs);
    const look = scene.watch.look();
    await vi.advanceTimersByTimeAsync(FIXED_LIMITS.storeLookMs);
    expect(await look).toMatchObject({
      kind: "down",
      reason: expect.stringContaining(`${FIXED_LIMITS.storeOwnWriteMs} ms`) as string,
    });
    release();
  });
});

describe("changes of the state", () => {
  test("are told once each, with each new reason, and none after the end", async () => {
    const scene = new Scene(READ_ONLY);
    await scene.look();
    await scene.look();
    const get = vi.spyOn(scene.store, "get");
    for (const reason of ["one", "one", "other", "other"]) {
      get.mockRejectedValueOnce(new Error(reason));
      await scene.look();
    }
    get.mockRestore();
    await scene.look();
    expect(scene.states).toEqual([
      { kind: "up" },
      { kind: "down", reason: "one" },
      { kind: "down", reason: "other" },
      { kind: "up" },
    ]);
    await scene[Symbol.asyncDispose]();
    await scene.watch.look();
    expect(scene.states).toHaveLength(4);
  });
});

describe("an SQLite store", () => {
  test("that is full is down as soon as a plugin may write, and says so", async () => {
    vi.useRealTimers();
    await using store = await openSqliteStore({ path: ":memory:", maxBytes: 64 * 1024 });
    const fill = async (bytes: number): Promise<void> => {
      for (let key = 0; ; key += 1)
        await store.set({ ...PLUGINS, key: `fill-${bytes}-${key}` }, new Uint8Array(bytes), { timeoutMs: 10_000 });
    };
    // To the last free byte of its last page.
    for (const bytes of [1_000, 1]) await expect(fill(bytes)).rejects.toMatchObject({ code: "store-unavailable" });
    let needs = READ_ONLY;
    using watch = new StoreWatch({ store, needs: () => needs, changed: () => undefined });
    expect(await watch.look()).toEqual({ kind: "up" });
    needs = BOTH;
    expect(await watch.look()).toMatchObject({ kind: "down", reason: expect.stringMatching(/disk is full/) as string });
  });
});
