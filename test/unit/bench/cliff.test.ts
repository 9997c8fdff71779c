import fc from "fast-check";
import { expect, test } from "vitest";
import { CLIFF_FACTOR, findCliffs } from "../../../bench/growth/cliff.ts";

const along = (xs: readonly number[], cost: (x: number) => number) => xs.map((x) => ({ x, cost: cost(x) }));

test("a step in which the cost of a unit grows by more than the factor is a cliff, and named", () => {
  const points = [
    { x: 1, cost: 10 },
    { x: 4, cost: 12 },
    { x: 16, cost: 36 },
    { x: 64, cost: 40 },
  ];
  expect(findCliffs(points, "constant", 2)).toEqual([{ from: 4, to: 16, factor: 3 }]);
  expect(findCliffs(points, "constant", 3)).toEqual([]);
});

test("a cost that falls has no cliff, and neither has one that rises slowly", () => {
  expect(
    findCliffs(
      along([1, 4, 16], (x) => 100 / x),
      "constant",
    ),
  ).toEqual([]);
  expect(
    findCliffs(
      along([1, 2, 3, 4], (x) => 1.9 ** x),
      "constant",
    ),
  ).toEqual([]);
});

test("a straight line has no cliff, however steep it is and wherever its points lie", () => {
  const positive = fc.double({ min: 1e-3, max: 1e6, noNaN: true });
  const places = fc.uniqueArray(fc.nat(1_000_000), { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(places, positive, positive, (xs, own, each) => {
      expect(
        findCliffs(
          along(xs, (x) => own + each * x),
          "linear",
        ),
      ).toEqual([]);
    }),
  );
});

test("beside a straight line, a jump is a cliff wherever it is", () => {
  const xs = [0, 64, 1_024, 16_384, 65_536, 262_144, 1_000_000];
  const own = 50;
  for (const [index, from] of xs.entries()) {
    const to = xs[index + 1];
    if (to === undefined) continue;
    const points = along(xs, (x) => own + x / 1_000 + (x >= to ? 20_000 : 0));
    expect(findCliffs(points, "linear")).toMatchObject([{ from, to }]);
  }
});

test("a curve that bends upwards is a cliff in the steps in which it leaves the line", () => {
  const points = along([1, 10, 100, 1_000], (x) => 1 + (x / 10) ** 2);
  expect(findCliffs(points, "linear")).toMatchObject([
    { from: 10, to: 100 },
    { from: 100, to: 1_000 },
  ]);
});

test("points may come in any order", () => {
  const points = along([64, 1, 16], (x) => (x > 1 ? 30 : 10));
  expect(findCliffs(points, "constant")).toEqual([{ from: 1, to: 16, factor: 3 }]);
});

test("one point has no step, and a cost is positive", () => {
  expect(findCliffs([{ x: 1, cost: 1 }], "linear")).toEqual([]);
  expect(findCliffs([], "constant")).toEqual([]);
  expect(() => findCliffs([{ x: 1, cost: 0 }], "constant")).toThrow(RangeError);
  expect(() => findCliffs([{ x: 1, cost: Number.NaN }], "linear")).toThrow(RangeError);
});

test("what is stated as the factor is what counts where no other one is given", () => {
  const points = (factor: number) => along([1, 2], (x) => (x === 1 ? 1 : factor));
  expect(findCliffs(points(CLIFF_FACTOR), "constant")).toEqual([]);
  expect(findCliffs(points(CLIFF_FACTOR * 1.01), "constant")).toHaveLength(1);
});
