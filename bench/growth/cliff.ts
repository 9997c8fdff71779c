/**
 * Cliffs: steps from one point of a curve to the next in which the cost of a unit grows by more than a factor. Pure.
 *
 * Where a cost is meant to be the same everywhere, its unit is the request. Where it is meant to follow a straight line
 * (a request's own part and a part for each byte), its unit is what the line through the first and the last point has at
 * that place: a curve that bends upwards between two points is a cliff then, one that rises evenly is not.
 *
 * @module
 */

import type { Expectation } from "./curves.ts";

/** A point of a curve: what grows, and a cost. */
export interface CostPoint {
  readonly x: number;
  readonly cost: number;
}

/** A step that is a cliff. */
export interface Cliff {
  readonly from: number;
  readonly to: number;
  /** By so much the cost of a unit grows. */
  readonly factor: number;
}

/** A step may be as high as this: neighbouring points lie up to sixteen-fold apart. */
export const CLIFF_FACTOR = 2;

/** Finds the cliffs of a curve. Costs must be positive. */
export function findCliffs(
  points: readonly CostPoint[],
  expectation: Expectation,
  maxFactor: number = CLIFF_FACTOR,
): Cliff[] {
  if (points.some(({ cost }) => !(cost > 0))) throw new RangeError("a cost is a positive number");
  const sorted = points.toSorted((a, b) => a.x - b.x);
  const unitCosts = sorted.map(({ x, cost }) => ({ x, cost: cost / expectedAt(x, sorted, expectation) }));
  return unitCosts.flatMap((to, index) => {
    const from = unitCosts[index - 1];
    if (from === undefined) return [];
    const factor = to.cost / from.cost;
    return factor > maxFactor ? [{ from: from.x, to: to.x, factor }] : [];
  });
}

function expectedAt(x: number, sorted: readonly CostPoint[], expectation: Expectation): number {
  const [first, last] = [sorted[0], sorted.at(-1)];
  if (expectation === "constant" || first === undefined || last === undefined || first.x === last.x) return 1;
  return first.cost + ((last.cost - first.cost) * (x - first.x)) / (last.x - first.x);
}
