import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ReturningInstances, type Worth } from "../../../src/runner/returning-instances.ts";

let idleMs: number;
let returning: ReturningInstances<string>;
let settled: (string | undefined)[];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  idleMs = 1_000;
  returning = new ReturningInstances(() => idleMs);
  settled = [];
});
afterEach(() => void vi.useRealTimers());

async function wait(worth: Worth = "for-many"): Promise<void> {
  void returning.wait(worth).then((returned) => settled.push(returned));
  await vi.advanceTimersByTimeAsync(0);
}

/** Time passes, in which the thread is idle throughout unless told otherwise. */
async function pass(ms: number, ofThatIdleMs = ms): Promise<void> {
  idleMs += ofThatIdleMs;
  await vi.advanceTimersByTimeAsync(ms);
}

test("an instance that comes back goes to the request that waits first", async () => {
  returning.noteMade(20);
  expect(returning.give("nobody's")).toBe(false);
  await wait();
  await wait();
  expect(returning.isAwaited).toBe(true);
  expect(returning.give("a")).toBe(true);
  expect(returning.give("b")).toBe(true);
  await pass(0);
  expect(settled).toEqual(["a", "b"]);
  expect(returning.isAwaited).toBe(false);
});

test("after as much idle time as an instance takes to make, one is made", async () => {
  returning.noteMade(20);
  await wait();
  await pass(19);
  expect(settled).toEqual([]);
  await pass(1);
  expect(settled).toEqual([undefined]);
});

test("time in which the thread works does not count", async () => {
  returning.noteMade(20);
  await wait();
  await pass(100, 5);
  expect(settled).toEqual([]);
  await pass(15);
  expect(settled).toEqual([undefined]);
});

test("the idle time of requests that got one counts for an instance that would be kept, until it is made", async () => {
  returning.noteMade(20);
  for (const name of ["a", "b"]) {
    await wait();
    await pass(8);
    returning.give(name);
  }
  await wait();
  await pass(4);
  expect(settled).toEqual(["a", "b", undefined]);
  returning.noteMade(20);
  await wait();
  await pass(19);
  expect(settled).toHaveLength(3);
});

test("for an instance that would serve one request, only that request's waiting counts", async () => {
  returning.noteMade(20);
  await wait();
  await pass(19);
  returning.give("a");
  await wait("for-one");
  await pass(19);
  expect(settled).toEqual(["a"]);
  await pass(1);
  expect(settled).toEqual(["a", undefined]);
});

test("one idle moment counts once, however many wait", async () => {
  returning.noteMade(20);
  await wait();
  await wait();
  await pass(15);
  returning.give("a");
  await pass(4);
  expect(settled).toEqual(["a"]);
  await pass(1);
  expect(settled).toEqual(["a", undefined]);
});

test("nobody waits where an instance takes next to nothing to make", async () => {
  returning.noteMade(1.9);
  await wait();
  expect(settled).toEqual([undefined]);
});

test("nobody waits longer than a first instance, made slowly, would ask for", async () => {
  returning.noteMade(500);
  await wait();
  await pass(25);
  expect(settled).toEqual([undefined]);
});

test("where none comes back any more, whoever waits makes one", async () => {
  returning.noteMade(20);
  await wait();
  await wait();
  returning.giveUp();
  await pass(0);
  expect(settled).toEqual([undefined, undefined]);
  await pass(100);
  expect(settled).toHaveLength(2);
});
