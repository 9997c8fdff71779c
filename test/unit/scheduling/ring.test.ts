import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Link, Ring } from "../../../src/scheduling/ring.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

class Bead extends Link {
  readonly number: number;

  constructor(number: number) {
    super();
    this.number = number;
  }
}

function numbersOf(ring: Ring<Bead>): number[] {
  const numbers: number[] = [];
  for (let bead = ring.first; bead !== undefined; bead = ring.after(bead)) numbers.push(bead.number);
  expect(ring.members().map(({ number }) => number)).toEqual(numbers);
  return numbers;
}

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom("push", "shift", "unlink", "prepend", "append"),
    ring: fc.constantFrom(0, 1),
    bead: fc.nat({ max: 9 }),
  }),
  { maxLength: 100 },
);

test("rings do what lists do", () => {
  fc.assert(
    fc.property(steps, (all) => {
      const beads = Array.from({ length: 10 }, (_, number) => new Bead(number));
      const rings = [new Ring<Bead>(), new Ring<Bead>()] as const;
      const lists: [number[], number[]] = [[], []];
      const drop = (number: number): void => {
        for (const list of lists) if (list.includes(number)) list.splice(list.indexOf(number), 1);
      };
      for (const { kind, ring: at, bead: number } of all) {
        const bead = beads[number] as Bead;
        const other = at === 0 ? 1 : 0;
        if (kind === "push") {
          rings[at].push(bead);
          drop(number);
          lists[at].push(number);
        } else if (kind === "shift") expect(rings[at].shift()?.number).toBe(lists[at].shift());
        else if (kind === "unlink") {
          bead.unlink();
          drop(number);
        } else {
          rings[at][kind](rings[other]);
          const moved = lists[other].splice(0);
          if (kind === "prepend") lists[at].unshift(...moved);
          else lists[at].push(...moved);
        }
        expect(rings.map(numbersOf)).toEqual(lists);
        expect(rings.map((each) => each.isEmpty)).toEqual(lists.map((list) => list.length === 0));
        expect(beads.filter((each) => each.isLinked).map((each) => each.number)).toEqual(
          lists.flat().toSorted((one, other) => one - other),
        );
      }
    }),
    { numRuns: 300, interruptAfterTimeLimit: PROPERTY_TIME_MS },
  );
});
