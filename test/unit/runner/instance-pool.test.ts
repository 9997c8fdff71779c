import { threadCpuUsage } from "node:process";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Due, Engine, Instance, Restoration } from "../../../src/runner/engine.ts";
import { InstancePool } from "../../../src/runner/instance-pool.ts";
import { MemoryReclaimer } from "../../../src/runner/memory-reclaimer.ts";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import { machineMs, machineMsUntil } from "../../../src/scheduling/machine-clock.ts";

const INSTANCE_BYTES = 65_536;

/** Counts what it makes; no instance of it is ever run here. */
class CountingEngine implements Engine {
  made = 0;
  destroyed = 0;
  failing = false;
  /** How are its instances put back? */
  restores: Restoration = "impossible";
  started = 0;
  /** Until when each of the start functions that ran again might run. */
  readonly dues: Due[] = [];
  /** Do start functions trap when they run again? */
  trapping = false;
  /** Processor time that an instance takes to make. */
  costMs = 0;

  async instantiate(): Promise<Instance> {
    if (this.failing) throw new Error("start trapped");
    const before = threadCpuUsage();
    for (let tookMs = 0; tookMs < this.costMs;) {
      const { user, system } = threadCpuUsage(before);
      tookMs = (user + system) / 1_000;
    }
    this.made += 1;
    return {
      memoryBytes: INSTANCE_BYTES,
      restore: () => this.restores,
      start: (due) => {
        this.dues.push(due);
        if (this.trapping) throw new Error("start trapped");
        this.started += 1;
      },
      destroy: () => void (this.destroyed += 1),
      getAccessLevels: async () => ({ kind: "levels", levels: 0 }),
      handleRequest: async () => ({ kind: "trap", message: "" }),
    };
  }
}

beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] }));
afterEach(() => void vi.useRealTimers());

async function openPool(
  maxIdle: number,
  maxIdleBytes = 1_000 * INSTANCE_BYTES,
): Promise<{ pool: InstancePool; engine: CountingEngine; times: number[] }> {
  const engine = new CountingEngine();
  const times: number[] = [];
  const made = (micros: number): void => void times.push(micros);
  const reclaimer = new MemoryReclaimer(() => undefined);
  const pool = new InstancePool({ engine, maxIdle, maxIdleBytes, logBytes: 0, reclaimer, made });
  await pool.open();
  return { pool, engine, times };
}

async function turns(count: number): Promise<void> {
  for (let done = 0; done < count; done++) await turn();
}

it("gives every request an instance that no other got", async () => {
  const { pool } = await openPool(4);
  const taken = await Promise.all(Array.from({ length: 20 }, async () => await pool.take()));
  expect(new Set(taken.map(({ instance }) => instance)).size).toBe(20);
  expect(new Set(taken.map(({ context }) => context)).size).toBe(20);
});

it("tells what each instance took, ahead of a request or in one", async () => {
  const { pool, engine, times } = await openPool(4);
  await Promise.all([pool.take(), pool.take(), pool.take()]);
  await turns(20);
  expect(pool.idleCount).toBe(3);
  expect(engine.made).toBe(6);
  expect(times).toHaveLength(6);
  expect(times.every((micros) => Number.isSafeInteger(micros) && micros >= 0)).toBe(true);
});

it("replaces a taken instance in an idle moment", async () => {
  const { pool } = await openPool(4);
  await pool.take();
  expect(pool.idleCount).toBe(0);
  await turns(5);
  expect(pool.idleCount).toBe(1);
});

it("prepares nothing while messages keep arriving", async () => {
  const { pool, engine } = await openPool(4);
  await pool.take();
  for (let message = 0; message < 20; message++) {
    pool.noteActivity();
    await turn();
  }
  expect(engine.made).toBe(1);
});

it("keeps as many as were in use at a time, up to its maximum", async () => {
  const { pool } = await openPool(8);
  await Promise.all(Array.from({ length: 5 }, async () => await pool.take()));
  await turns(30);
  expect(pool.idleCount).toBe(5);
  await Promise.all(Array.from({ length: 20 }, async () => await pool.take()));
  await turns(60);
  expect(pool.idleCount).toBe(8);
});

it("keeps no more than may hold memory while they wait, and one in any case", async () => {
  for (const [bytes, kept] of [
    [3 * INSTANCE_BYTES, 3],
    [1, 1],
  ] as const) {
    const { pool } = await openPool(8, bytes);
    await Promise.all(Array.from({ length: 8 }, async () => await pool.take()));
    await turns(40);
    expect(pool.idleCount).toBe(kept);
  }
});

it("makes no instance anew where those that served come back, though more were out than may wait", async () => {
  const { pool, engine } = await openPool(4);
  engine.restores = "ready";
  const taken = await Promise.all(Array.from({ length: 6 }, async () => await pool.take()));
  for (const prepared of taken) pool.release(prepared, "returned");
  expect([pool.idleCount, engine.made, engine.destroyed]).toEqual([4, 6, 2]);
  for (let round = 0; round < 20; round++) {
    const again = [await pool.take(), await pool.take()];
    await turns(3);
    for (const prepared of again) pool.release(prepared, "returned");
  }
  expect([pool.idleCount, engine.made]).toEqual([4, 6]);
});

it("falls back to one when demand is gone", async () => {
  const { pool, engine } = await openPool(8);
  const taken = await Promise.all(Array.from({ length: 8 }, async () => await pool.take()));
  await turns(40);
  expect(pool.idleCount).toBe(8);
  for (const prepared of taken) pool.release(prepared, "returned");
  expect(engine.destroyed).toBe(8);
  vi.advanceTimersByTime(60_000);
  expect(pool.idleCount).toBe(1);
  // Each of them may hold a stack.
  expect(engine.destroyed).toBe(8 + 7);
  expect(vi.getTimerCount()).toBe(0);
});

it("prepares none where none may wait", async () => {
  const { pool, engine } = await openPool(0);
  await pool.take();
  await turns(10);
  expect(pool.idleCount).toBe(0);
  expect(engine.made).toBe(2);
});

it("leaves the error of an instance that cannot be made to the request that needs it", async () => {
  const { pool, engine } = await openPool(1);
  engine.failing = true;
  await pool.take();
  await turns(10);
  await expect(pool.take()).rejects.toThrow("start trapped");
  engine.failing = false;
  await pool.take();
  await turns(10);
  expect(pool.idleCount).toBe(1);
});

it("starts those again that were put back to their state before their start, in idle moments", async () => {
  const { pool, engine, times } = await openPool(4);
  engine.restores = "unstarted";
  const taken = await Promise.all(Array.from({ length: 3 }, async () => await pool.take()));
  times.length = 0;
  const beganMs = machineMs(performance.now());
  pool.noteActivity();
  for (const prepared of taken) pool.release(prepared, "returned");
  expect([pool.idleCount, engine.started]).toEqual([3, 0]);
  await turns(20);
  expect([pool.idleCount, engine.started, engine.made, times.length]).toEqual([3, 3, 3, 3]);
  // Nobody waits for them; they may not keep the process for ever, either.
  for (const due of engine.dues) {
    expect(machineMsUntil(due ?? 0, beganMs)).toBeGreaterThanOrEqual(FIXED_LIMITS.idleComputeMs);
    expect(machineMsUntil(due ?? 0, machineMs(performance.now()))).toBeLessThanOrEqual(FIXED_LIMITS.idleComputeMs);
  }
});

it("starts one again for the request that needs it, where no moment was idle", async () => {
  const { pool, engine } = await openPool(1);
  engine.restores = "unstarted";
  for (let request = 1; request <= 5; request++) {
    const prepared = await pool.take(request);
    pool.release(prepared, "returned");
    expect([engine.made, engine.started]).toEqual([1, request - 1]);
  }
  expect(engine.dues).toEqual([2, 3, 4, 5]);
});

it("leaves the error of one that cannot start again to the request that needs it, and makes another for the next", async () => {
  const { pool, engine } = await openPool(1);
  engine.restores = "unstarted";
  engine.trapping = true;
  pool.release(await pool.take(), "returned");
  await expect(pool.take()).rejects.toThrow("start trapped");
  expect([engine.made, engine.destroyed]).toEqual([1, 1]);
  pool.release(await pool.take(), "returned");
  expect(engine.made).toBe(2);
  // In an idle moment nobody is told; the next request gets one that is made anew.
  await turns(10);
  expect([engine.destroyed, pool.idleCount]).toEqual([2, 0]);
  await pool.take();
  expect(engine.made).toBe(3);
});

async function poolOfCostly(restores: Restoration): Promise<{ pool: InstancePool; engine: CountingEngine }> {
  const { pool, engine } = await openPool(8);
  engine.restores = restores;
  engine.costMs = 5;
  // The first call says that instances come back, the second that they are costly.
  pool.release(await pool.take(), "returned");
  const two = [await pool.take(), await pool.take()];
  for (const taken of two) pool.release(taken, "returned");
  return { pool, engine };
}

it("lets a request wait for an instance in use where another one is costly", async () => {
  const { pool, engine } = await poolOfCostly("ready");
  const [first] = [await pool.take(), await pool.take()];
  const before = engine.made;
  const waiting = pool.take();
  pool.release(first, "returned");
  expect((await waiting).instance).toBe(first.instance);
  expect(engine.made).toBe(before);
});

it("starts an instance that comes back for the request that waits, within its time", async () => {
  const { pool, engine } = await poolOfCostly("unstarted");
  const [first] = [await pool.take(), await pool.take()];
  const waiting = pool.take(7);
  pool.release(first, "returned");
  expect((await waiting).instance).toBe(first.instance);
  expect(engine.dues.at(-1)).toBe(7);
});

it("makes one nonetheless where none comes back for a while, or none can", async () => {
  const { pool, engine } = await poolOfCostly("ready");
  const [first, second] = [await pool.take(), await pool.take()];
  const before = engine.made;
  const third = await pool.take();
  expect(engine.made).toBe(before + 1);
  const waiting = pool.take();
  for (const taken of [first, second, third]) pool.release(taken, "cut-off");
  expect([first.instance, second.instance, third.instance]).not.toContain((await waiting).instance);
});

it("takes an instance that nobody has used as it is, for a request that waits too", async () => {
  const { pool, engine } = await poolOfCostly("ready");
  const [first, second] = [await pool.take(), await pool.take()];
  const waiting = pool.take();
  const { made, destroyed } = engine;
  engine.restores = "impossible";
  pool.giveBack(first);
  expect(await waiting).toBe(first);
  pool.giveBack(second);
  expect(await pool.take()).toBe(second);
  expect({ made: engine.made, destroyed: engine.destroyed }).toEqual({ made, destroyed });
});

it("drops an instance that nobody has used where the host has trapped its start", async () => {
  const { pool, engine } = await openPool(4);
  const taken = await pool.take();
  taken.context.trap("too much");
  pool.giveBack(taken);
  expect(engine.destroyed).toBe(1);
});
