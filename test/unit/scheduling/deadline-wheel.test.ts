import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Deadline, DeadlineWheel } from "../../../src/scheduling/deadline-wheel.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

const NOTHING = (): void => undefined;

const ascending = (one: number, other: number): number => one - other;

/** All that is due at a time, as times. */
function dueAt(wheel: DeadlineWheel, nowMs: number): number[] {
  const due: number[] = [];
  for (let next = wheel.takeDue(nowMs); next !== undefined; next = wheel.takeDue(nowMs)) due.push(next.atMs);
  return due;
}

test("a deadline is met in the millisecond after it, and not before", () => {
  const wheel = new DeadlineWheel(100.7);
  wheel.add(105.2, NOTHING);
  expect(wheel.nextMs).toBe(106);
  expect(dueAt(wheel, 105.9)).toEqual([]);
  expect(dueAt(wheel, 106)).toEqual([106]);
  expect([wheel.size, wheel.nextMs]).toEqual([0, Number.POSITIVE_INFINITY]);
});

test("one that is over already is due in the next millisecond", () => {
  const wheel = new DeadlineWheel(100);
  wheel.add(5, NOTHING);
  expect(dueAt(wheel, 100)).toEqual([]);
  expect(dueAt(wheel, 101)).toEqual([101]);
});

test("one that is several revolutions ahead is met then", () => {
  const wheel = new DeadlineWheel(0);
  wheel.add(5_000, NOTHING);
  wheel.add(5_000 - 1_024, NOTHING);
  const met: number[] = [];
  while (wheel.size > 0) {
    const nowMs = wheel.nextMs;
    for (const atMs of dueAt(wheel, nowMs)) {
      expect(atMs).toBe(nowMs);
      met.push(atMs);
    }
  }
  expect(met).toEqual([5_000 - 1_024, 5_000]);
});

test("one that is taken back while others are met is not", () => {
  const wheel = new DeadlineWheel(0);
  const [first, second] = [wheel.add(7, NOTHING), wheel.add(7, NOTHING)];
  expect(wheel.takeDue(10)).toBe(first);
  wheel.cancel(second);
  wheel.cancel(first);
  expect(wheel.takeDue(10)).toBeUndefined();
  expect(wheel.size).toBe(0);
});

const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant("add" as const), aheadMs: fc.double({ min: -5, max: 4_000, noNaN: true }) }),
    fc.record({ kind: fc.constant("cancel" as const), which: fc.nat() }),
    fc.record({ kind: fc.constant("pass" as const), ms: fc.double({ min: 0, max: 300, noNaN: true }) }),
    fc.record({ kind: fc.constant("pass" as const), ms: fc.double({ min: 0, max: 5_000, noNaN: true }) }),
  ),
  { maxLength: 150 },
);

test("whatever is added and taken back, the wheel and a list have the same due at any time", () => {
  fc.assert(
    fc.property(steps, fc.double({ min: 0, max: 5_000, noNaN: true }), (all, startMs) => {
      const wheel = new DeadlineWheel(startMs);
      let nowMs = startMs;
      let list: Deadline[] = [];
      for (const step of all) {
        if (step.kind === "add") list.push(wheel.add(nowMs + step.aheadMs, NOTHING));
        else if (step.kind === "cancel") {
          const [taken] = list.splice(step.which % Math.max(1, list.length), 1);
          if (taken !== undefined) wheel.cancel(taken);
        } else {
          nowMs += step.ms;
          const due = dueAt(wheel, nowMs);
          if (step.ms < 1_000) expect(due).toEqual(due.toSorted(ascending));
          expect(due.toSorted(ascending)).toEqual(
            list.flatMap(({ atMs }) => (atMs <= nowMs ? atMs : [])).toSorted(ascending),
          );
          list = list.filter(({ atMs }) => atMs > nowMs);
        }
        expect(wheel.size).toBe(list.length);
        // Never later than the earliest.
        expect(wheel.nextMs).toBeLessThanOrEqual(Math.min(...list.map(({ atMs }) => atMs)));
        expect(wheel.nextMs === Number.POSITIVE_INFINITY).toBe(list.length === 0);
      }
    }),
    { numRuns: 300, interruptAfterTimeLimit: PROPERTY_TIME_MS },
  );
});
