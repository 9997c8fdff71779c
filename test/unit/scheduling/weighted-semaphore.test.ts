import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Waiter, WeightedSemaphore } from "../../../src/scheduling/weighted-semaphore.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

interface Guest extends Waiter {
  readonly party: number;
}

/** Guests by their names, as they were let in. */
function stage(capacity: number): {
  sent: string[];
  enter: (name: string, weight: number, party?: number) => void;
  semaphore: WeightedSemaphore<Guest>;
} {
  const semaphore = new WeightedSemaphore<Guest>(capacity);
  const sent: string[] = [];
  const enter = (name: string, weight: number, party = 1): void => {
    const admit = (): void => void sent.push(name);
    if (semaphore.tryAcquire(weight)) admit();
    else semaphore.acquire({ party, weight, admit });
  };
  return { sent, semaphore, enter };
}

describe("what a weighted semaphore lets in", () => {
  test("goes up to the capacity, and the others follow as those go", () => {
    const { sent, enter, semaphore } = stage(10);
    enter("a", 6);
    enter("b", 4);
    enter("c", 3);
    enter("d", 3);
    expect(sent).toEqual(["a", "b"]);
    semaphore.release(4);
    expect(sent).toEqual(["a", "b", "c"]);
    semaphore.release(6);
    expect(sent).toEqual(["a", "b", "c", "d"]);
  });

  test("goes alone where it weighs more than the capacity", () => {
    const { sent, enter, semaphore } = stage(10);
    enter("small", 1);
    enter("large", 50);
    enter("behind it", 1);
    expect(sent).toEqual(["small"]);
    semaphore.release(1);
    expect(sent).toEqual(["small", "large"]);
    semaphore.release(50);
    expect(sent).toEqual(["small", "large", "behind it"]);
  });

  test("keeps its order, also where a later one would fit", () => {
    const { sent, enter, semaphore } = stage(10);
    enter("a", 8);
    enter("b", 5);
    enter("c", 1);
    expect(sent).toEqual(["a"]);
    semaphore.release(8);
    expect(sent).toEqual(["a", "b", "c"]);
  });

  test("counts nobody who was sent away", () => {
    const { sent, enter, semaphore } = stage(10);
    enter("a", 10, 1);
    enter("b", 10, 2);
    enter("c", 10, 3);
    semaphore.dismiss(({ party }) => party === 2);
    semaphore.release(10);
    expect(sent).toEqual(["a", "c"]);
  });

  test("is not one more while others may be sent away, whom that one would be the next of", () => {
    const { sent, enter, semaphore } = stage(10);
    enter("in", 8, 1);
    enter("large", 5, 2);
    enter("small", 1, 3);
    semaphore.dismiss(({ party }) => party === 2);
    semaphore.dismiss(({ party }) => party === 3);
    expect(sent).toEqual(["in"]);
  });

  test("is more at once where the capacity grows, and less, step by step, where it shrinks", () => {
    const { sent, enter, semaphore } = stage(1);
    for (const name of ["a", "b", "c", "d", "e"]) enter(name, 1);
    semaphore.resize(3);
    expect(sent).toEqual(["a", "b", "c"]);
    semaphore.resize(2);
    semaphore.release(1);
    expect(sent).toEqual(["a", "b", "c"]);
    semaphore.release(1);
    expect(sent).toEqual(["a", "b", "c", "d"]);
  });
});

type Step =
  | { readonly kind: "enter"; readonly weight: number; readonly party: number }
  | { readonly kind: "release"; readonly which: number }
  | { readonly kind: "dismiss"; readonly party: number }
  | { readonly kind: "resize"; readonly capacity: number };

const steps = fc.array(
  fc.oneof<fc.Arbitrary<Step>[]>(
    fc.record({ kind: fc.constant("enter"), weight: fc.integer({ min: 1, max: 15 }), party: fc.nat({ max: 3 }) }),
    fc.record({ kind: fc.constant("release"), which: fc.nat() }),
    fc.record({ kind: fc.constant("dismiss"), party: fc.nat({ max: 3 }) }),
    fc.record({ kind: fc.constant("resize"), capacity: fc.integer({ min: 1, max: 12 }) }),
  ),
  { maxLength: 200 },
);

test("whatever comes and goes: within the capacity or alone, in order, everybody once, and nobody waits for nothing", () => {
  fc.assert(
    fc.property(steps, (all) => {
      let capacity = 10;
      const semaphore = new WeightedSemaphore<Guest>(capacity);
      const inside: number[] = [];
      let waiting: { readonly name: number; readonly party: number }[] = [];
      let names = 0;
      for (const step of all) {
        switch (step.kind) {
          case "enter": {
            const name = names++;
            waiting.push({ name, party: step.party });
            const admit = (): void => {
              // Only the first of those who wait is ever let in.
              expect(waiting.shift()?.name).toBe(name);
              inside.push(step.weight);
              const held = inside.reduce((sum, weight) => sum + weight, 0);
              expect(inside.length === 1 || held <= capacity).toBe(true);
            };
            if (semaphore.tryAcquire(step.weight)) admit();
            else semaphore.acquire({ party: step.party, weight: step.weight, admit });
            break;
          }
          case "release": {
            const [weight] = inside.splice(step.which % Math.max(1, inside.length), 1);
            if (weight !== undefined) semaphore.release(weight);
            break;
          }
          case "dismiss":
            waiting = waiting.filter(({ party }) => party !== step.party);
            semaphore.dismiss(({ party }) => party === step.party);
            break;
          case "resize":
            capacity = step.capacity;
            semaphore.resize(capacity);
            break;
        }
        expect(semaphore.waiting).toBe(waiting.length);
        expect(semaphore.held).toBe(inside.reduce((sum, weight) => sum + weight, 0));
        if (waiting.length > 0) expect(semaphore.held).toBeGreaterThan(0);
      }
      while (inside.length > 0) semaphore.release(inside.pop() as number);
      expect(waiting).toEqual([]);
    }),
    { numRuns: 300, interruptAfterTimeLimit: PROPERTY_TIME_MS },
  );
});
