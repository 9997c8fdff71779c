import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IdMap } from "../../../src/channel/id-map.ts";

/** Numbers that meet in a table of 64 slots and of many more, those at the ends of the range, and any others. */
const ids = fc.oneof(
  fc.integer({ min: 0, max: 40 }),
  fc.integer({ min: 0, max: 40 }).map((times) => times * 64),
  fc.integer({ min: 0, max: 40 }).map((back) => 0xffff_ffff - back),
  fc.nat({ max: 0xffff_ffff }),
);

const steps = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("set" as const), id: ids, value: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("delete" as const), id: ids }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("clear" as const) }) },
);

function byId(entries: Iterable<readonly [number, number]>): (readonly [number, number])[] {
  return [...entries].toSorted(([one], [other]) => one - other);
}

describe("what is in flight, by its number", () => {
  test("is what a Map would hold, whatever comes and goes", () => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 400 }), (sequence) => {
        const [map, model] = [new IdMap<number>(), new Map<number, number>()];
        for (const step of sequence) {
          if (step.kind === "set") {
            map.set(step.id, step.value);
            model.set(step.id, step.value);
          } else if (step.kind === "delete") {
            expect(map.delete(step.id)).toBe(model.get(step.id));
            model.delete(step.id);
          } else {
            map.clear();
            model.clear();
          }
          expect(map.size).toBe(model.size);
        }
        expect(byId(map.entries())).toEqual(byId(model.entries()));
        for (const [id, value] of model) expect(map.get(id)).toBe(value);
        for (const { id } of sequence.filter((step) => step.kind !== "clear")) expect(map.has(id)).toBe(model.has(id));
      }),
    );
  });

  test("is found among thousands, and gone when all have ended", () => {
    const map = new IdMap<number>();
    for (let id = 1; id <= 5_000; id += 1) map.set(id, -id);
    expect(map.get(4_321)).toBe(-4_321);
    for (let id = 1; id <= 5_000; id += 1) expect(map.delete(id)).toBe(-id);
    expect([map.size, map.entries()]).toEqual([0, []]);
  });

  test("gets numbers that go up, without those in use", () => {
    const map = new IdMap<string>();
    map.set(2, "in use");
    expect([map.newId(), map.newId(), map.newId()]).toEqual([1, 3, 4]);
  });

  test("may go around the range of numbers", () => {
    const map = new IdMap<string>();
    for (const id of [0xffff_fffe, 0xffff_ffff, 0, 1]) map.set(id, `call ${id}`);
    expect(map.delete(0xffff_ffff)).toBe("call 4294967295");
    expect([map.get(0xffff_fffe), map.get(0), map.get(1)]).toEqual(["call 4294967294", "call 0", "call 1"]);
  });
});
