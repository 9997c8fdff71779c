import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Fifo } from "../../../src/scheduling/fifo.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom("push", "push", "shift", "pop", "keep", "clear"),
    times: fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 1_500 })),
  }),
  { maxLength: 60 },
);

test("a queue does what an array does", () => {
  fc.assert(
    fc.property(steps, (all) => {
      const queue = new Fifo<number>();
      let array: number[] = [];
      let next = 0;
      for (const { kind, times } of all) {
        for (let time = 0; time < times; time += 1) {
          if (kind === "push") {
            queue.push(next);
            array.push(next);
            next += 1;
          } else if (kind === "shift" || kind === "pop") expect(queue[kind]()).toBe(array[kind]());
        }
        if (kind === "keep") {
          queue.keep((item) => item % 3 !== times % 3);
          array = array.filter((item) => item % 3 !== times % 3);
        } else if (kind === "clear" && times > 30) {
          queue.clear();
          array = [];
        }
        expect([...queue]).toEqual(array);
        expect([queue.size, queue.isEmpty, queue.first, queue.last]).toEqual([
          array.length,
          array.length === 0,
          array[0],
          array.at(-1),
        ]);
      }
    }),
    { numRuns: 300, interruptAfterTimeLimit: PROPERTY_TIME_MS },
  );
});
