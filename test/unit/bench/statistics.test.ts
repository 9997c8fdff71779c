import { array, assert, double, property } from "fast-check";
import { expect, test } from "vitest";
import { median, medianAtMost, quantile, ratioOf, spreadOf } from "../../../bench/figures/statistics.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

const values = array(double({ min: 0.001, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 30 });

test("the median of an odd number of values is the one in the middle, whatever their order", () => {
  expect(median([9, 1, 5])).toBe(5);
});

test("the median of an even number of values is the mean of the two in the middle", () => {
  expect(median([4, 1, 3, 10])).toBe(3.5);
});

test("no values have no median", () => {
  expect(() => median([])).toThrow(RangeError);
});

test("a spread has its median between its smallest and its largest value", () => {
  assert(
    property(values, (list) => {
      const { median: middle, min, max } = spreadOf(list);
      expect(min).toBeLessThanOrEqual(middle);
      expect(middle).toBeLessThanOrEqual(max);
      expect(list).toContain(min);
      expect(list).toContain(max);
    }),
    { interruptAfterTimeLimit: PROPERTY_TIME_MS },
  );
});

test("what slows whole rounds leaves the ratio alone", () => {
  assert(
    property(values, double({ min: 0.1, max: 10, noNaN: true }), (slowness, factor) => {
      const { min, max } = ratioOf(
        slowness.map((value) => value * factor),
        slowness,
      );
      expect(min).toBeCloseTo(factor, 6);
      expect(max).toBeCloseTo(factor, 6);
    }),
    { interruptAfterTimeLimit: PROPERTY_TIME_MS },
  );
});

test("a ratio of series with different numbers of rounds is refused", () => {
  expect(() => ratioOf([1, 2], [1])).toThrow(RangeError);
});

test("a quantile is the value at its nearest rank", () => {
  const sorted = Array.from({ length: 100 }, (_, index) => index + 1);
  expect(quantile(sorted, 0.5)).toBe(50);
  expect(quantile(sorted, 0.99)).toBe(99);
  expect(quantile(sorted, 0.999)).toBe(100);
  expect(quantile(sorted, 1)).toBe(100);
  expect(quantile([7], 0.5)).toBe(7);
  expect(quantile([], 0.5)).toBe(0);
});

test("the median is at most the value of a rank, which the number of values decides", () => {
  const ascending = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
  // 1 - 2^-n for the largest of n.
  expect(medianAtMost(ascending(4), 15 / 16)).toBe(4);
  expect(medianAtMost(ascending(4), 0.94)).toBe(Number.POSITIVE_INFINITY);
  expect(medianAtMost(ascending(11), 0.995)).toBe(11);
  expect(medianAtMost(ascending(25).toReversed(), 0.995)).toBe(20);
  expect(medianAtMost([], 0.5)).toBe(Number.POSITIVE_INFINITY);
});
