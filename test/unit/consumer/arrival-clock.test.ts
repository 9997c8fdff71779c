import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ArrivalClock } from "../../../src/consumer/arrival-clock.ts";

describe("the arrival of a message", () => {
  /** By how much the clocks went on while nothing of this process ran. */
  let stillMs = 0;
  let suspendedMs = 0;
  let setMs = 0;
  let questions: PromiseWithResolvers<void>[] = [];
  let clock: ArrivalClock;

  const nowMs = (): number => performance.now() + stillMs;

  beforeEach(() => {
    vi.useFakeTimers();
    [stillMs, suspendedMs, setMs, questions] = [0, 0, 0, []];
    clock = new ArrivalClock(
      () => {
        const question = Promise.withResolvers<void>();
        questions.push(question);
        return question.promise;
      },
      {
        nowMs,
        dayMs: () => 1e12 + nowMs() + suspendedMs + setMs,
        uptimeMs: () => 5e6 + nowMs() + suspendedMs,
      },
    );
  });

  afterEach(() => {
    clock[Symbol.dispose]();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  test("is when it is read, while the event loop turns", () => {
    for (let passed = 0; passed < 1_000; passed += 10) {
      vi.advanceTimersByTime(10);
      expect(clock.stamp().arrivedMs).toBe(nowMs());
    }
    expect(questions).toEqual([]);
  });

  test("is when the event loop should have turned, where it did not", () => {
    vi.advanceTimersByTime(10);
    const beforeMs = nowMs();
    stillMs = 60;
    // The next beat was due 15 ms after this.
    expect(clock.stamp().arrivedMs).toBe(beforeMs + 15);
    vi.advanceTimersByTime(25);
    expect(clock.stamp().arrivedMs).toBe(nowMs());
    expect(questions).toEqual([]);
  });

  test("is the beginning of a stall, until all is read that was sent during it", async () => {
    vi.advanceTimersByTime(1_000);
    const beganMs = nowMs() + 25;
    stillMs = 8_000;
    expect([clock.stamp().arrivedMs, clock.stamp().arrivedMs]).toEqual([beganMs, beganMs]);
    vi.advanceTimersByTime(500);
    expect(clock.stamp().arrivedMs).toBe(beganMs);
    expect(questions).toHaveLength(1);
    questions[0]?.resolve();
    await vi.advanceTimersByTimeAsync(0);
    expect(clock.stamp().arrivedMs).toBe(nowMs());
  });

  test("is that of the first of several stalls, until the last is over; a connection that is lost ends them", async () => {
    const beganMs = nowMs() + 25;
    stillMs = 1_000;
    vi.advanceTimersByTime(25);
    stillMs = 3_000;
    expect(clock.stamp().arrivedMs).toBe(beganMs);
    expect(questions).toHaveLength(2);
    questions[0]?.resolve();
    await vi.advanceTimersByTimeAsync(0);
    expect(clock.stamp().arrivedMs).toBe(beganMs);
    questions[1]?.reject(new Error("closed"));
    await vi.advanceTimersByTimeAsync(0);
    expect(clock.stamp().arrivedMs).toBe(nowMs());
  });

  test("counts time in which the machine was suspended, and none by which somebody set its clock", () => {
    vi.advanceTimersByTime(1_000);
    setMs = 3_600_000;
    expect(clock.stamp().arrivedMs).toBe(nowMs());
    suspendedMs = 20_000;
    expect(clock.stamp().arrivedMs).toBe(nowMs() - 20_000);
    expect(questions).toHaveLength(1);
  });
});
