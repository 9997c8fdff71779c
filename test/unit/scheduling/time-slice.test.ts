import { describe, expect, test } from "vitest";
import { TimeSlice } from "../../../src/scheduling/time-slice.ts";

describe("a time slice", () => {
  test("is over when its time has passed, and before it has begun", () => {
    const slice = new TimeSlice();
    expect(slice.isOver(0)).toBe(true);
    slice.begin(100, 2);
    expect(slice.startMs).toBe(100);
    expect(slice.isOver(101.9)).toBe(false);
    expect(slice.isOver(102)).toBe(true);
  });

  test("of no length is over at once", () => {
    const slice = new TimeSlice();
    slice.begin(5, 0);
    expect(slice.isOver(5)).toBe(true);
  });

  test("goes on with what is left where the time in between does not count", () => {
    const slice = new TimeSlice(1);
    slice.begin(0, 2);
    slice.stop(1.5);
    expect(slice.usedMs).toBe(1.5);
    expect(slice.isPaused(2.5)).toBe(false);
    slice.resume(2.5);
    expect(slice.usedMs).toBe(1.5);
    expect(slice.isOver(2.9)).toBe(false);
    expect(slice.isOver(3)).toBe(true);
    slice.stop(2.75);
    expect(slice.usedMs).toBe(1.75);
  });

  test("has been paused once the work stopped for longer than that, and never where it cannot be", () => {
    const [slice, unpaused] = [new TimeSlice(0.5), new TimeSlice()];
    expect(slice.isPaused(0)).toBe(true);
    for (const each of [slice, unpaused]) each.begin(0, 2);
    for (const each of [slice, unpaused]) each.stop(1);
    expect(slice.isPaused(1.5)).toBe(false);
    expect(slice.isPaused(1.6)).toBe(true);
    expect(unpaused.isPaused(1e9)).toBe(false);
  });
});
