import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Engine, Instance } from "../../../src/runner/engine.ts";
import { InstancePool } from "../../../src/runner/instance-pool.ts";
import { MemoryReclaimer } from "../../../src/runner/memory-reclaimer.ts";

/** Counts what it makes; no instance of it is ever run here. */
class CountingEngine implements Engine {
  made = 0;
  destroyed = 0;
  failing = false;

  async instantiate(): Promise<Instance> {
    if (this.failing) throw new Error("start trapped");
    this.made += 1;
    return {
      memoryBytes: 65_536,
      restore: () => false,
      destroy: () => void (this.destroyed += 1),
      getAccessLevels: async () => ({ kind: "levels", levels: 0 }),
      handleRequest: async () => ({ kind: "trap", message: "" }),
    };
  }
}

beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] }));
afterEach(() => void vi.useRealTimers());

async function openPool(maxIdle: number): Promise<{ pool: InstancePool; engine: CountingEngine }> {
  const engine = new CountingEngine();
  const pool = new InstancePool({ engine, maxIdle, logBytes: 0, reclaimer: new MemoryReclaimer(() => undefined) });
  await pool.open();
  return { pool, engine };
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

it("falls back to one when demand is gone", async () => {
  const { pool, engine } = await openPool(8);
  const taken = await Promise.all(Array.from({ length: 8 }, async () => await pool.take()));
  await turns(40);
  expect(pool.idleCount).toBe(8);
  for (const prepared of taken) pool.release(prepared, "returned");
  expect(engine.destroyed).toBe(8);
  vi.advanceTimersByTime(60_000);
  expect(pool.idleCount).toBe(1);
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
