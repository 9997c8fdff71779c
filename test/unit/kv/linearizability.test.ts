import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isLinearizable, type RegisterEvent } from "../../conformance/kv/linearizability.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

const write = (value: string, start: number, end = Infinity): RegisterEvent => ({ kind: "write", value, start, end });
const read = (value: string | undefined, start: number, end: number): RegisterEvent => ({
  kind: "read",
  value,
  start,
  end,
});

describe("a history is linearizable", () => {
  test.each<[string, RegisterEvent[]]>([
    ["that is empty", []],
    ["of a read before any write", [read(undefined, 0, 1)]],
    ["of one operation after the other", [write("a", 0, 1), read("a", 2, 3), write("b", 4, 5), read("b", 6, 7)]],
    ["where a read beside a write finds the old value", [write("a", 0, 1), write("b", 2, 9), read("a", 3, 4)]],
    ["where a read beside a write finds the new value", [write("a", 0, 1), write("b", 2, 9), read("b", 3, 4)]],
    ["where the order of writes shows later", [write("a", 0, 9), write("b", 0, 9), read("b", 10, 11)]],
    ["where a write of unknown outcome happened", [write("a", 0), read("a", 5, 6)]],
    ["where it happened much later", [write("a", 0), write("b", 1, 2), read("b", 3, 4), read("a", 5, 6)]],
    ["where it never happened", [write("a", 0), read(undefined, 5, 6), write("b", 7, 8), read("b", 9, 10)]],
    ["where one value is written twice", [write("a", 0, 1), write("b", 2, 3), write("a", 4, 5), read("a", 6, 7)]],
    ["where a read and a write touch in one moment", [write("a", 0, 1), read(undefined, 1, 1)]],
  ])("%s", (_, history) => {
    expect(isLinearizable(history)).toBe(true);
  });
});

describe("a history is not linearizable", () => {
  test.each<[string, RegisterEvent[]]>([
    ["where a value is found that nobody wrote", [write("a", 0, 1), read("z", 2, 3)]],
    ["where an acknowledged write is not seen", [write("a", 0, 1), read(undefined, 2, 3)]],
    ["where an older value is found again", [write("a", 0, 1), write("b", 2, 3), read("a", 4, 5)]],
    ["where a value is found before it is written", [read("a", 0, 1), write("a", 2, 3)]],
    [
      "where two reads see two writes in two orders",
      [write("a", 0, 9), write("b", 0, 9), read("a", 1, 2), read("b", 3, 4), read("a", 5, 6)],
    ],
    [
      "where readers disagree on whether a write has happened",
      [write("a", 0, 1), write("b", 2, 9), read("b", 3, 4), read("a", 5, 6)],
    ],
    [
      "where a write of unknown outcome happens twice",
      [write("a", 0), read("a", 1, 2), write("b", 3, 4), read("b", 5, 6), read("a", 7, 8)],
    ],
    ["where a write of unknown outcome happens before it was called", [read("a", 0, 1), write("a", 2)]],
    ["where a read finds nothing again", [write("a", 0), read("a", 1, 2), read(undefined, 3, 4)]],
  ])("%s", (_, history) => {
    expect(isLinearizable(history)).toBe(false);
  });
});

/** Tries every order. A write of unknown outcome may stand anywhere behind its start or nowhere. */
function isLinearizableByTrying(history: readonly RegisterEvent[], value: string | undefined): boolean {
  const isOver = history.every(({ end }) => end === Infinity);
  if (isOver) return true;
  return history.some((event, index) => {
    if (history.some((other) => other.end < event.start)) return false;
    if (event.kind === "read" && event.value !== value) return false;
    return isLinearizableByTrying(history.toSpliced(index, 1), event.kind === "write" ? event.value : value);
  });
}

const times = fc.tuple(fc.nat({ max: 12 }), fc.nat({ max: 12 }));
const event: fc.Arbitrary<RegisterEvent> = fc
  .record({
    kind: fc.constantFrom("read", "write"),
    value: fc.constantFrom("a", "b", "c"),
    isNothing: fc.boolean(),
    times,
    isOpen: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
  })
  .map(({ kind, value, isNothing, times: [one, other], isOpen }) => ({
    kind,
    value: kind === "read" && isNothing ? undefined : value,
    start: Math.min(one, other),
    // Reads without a result are not worth a place here: the one that tries every order would have to place them.
    end: isOpen && kind === "write" ? Infinity : Math.max(one, other),
  }));

test("the search agrees with trying every order", () => {
  const seen = { true: 0, false: 0 };
  fc.assert(
    fc.property(fc.array(event, { maxLength: 7 }), (history) => {
      const expected = isLinearizableByTrying(history, undefined);
      seen[`${expected}`] += 1;
      expect(isLinearizable(history)).toBe(expected);
    }),
    { numRuns: 3_000, interruptAfterTimeLimit: PROPERTY_TIME_MS },
  );
  expect(Math.min(seen.true, seen.false)).toBeGreaterThan(100);
});

/** A register that gives stale answers now and then, and the history of many clients of it. */
function runRegister(seed: readonly number[], staleAt: number | undefined): RegisterEvent[] {
  const history: RegisterEvent[] = [];
  const values: (string | undefined)[] = [undefined];
  for (const [moment, dice] of seed.entries()) {
    // The operation happens at `moment`; what is seen of it is an interval around that.
    const start = moment - (dice % 5);
    const end = moment + ((dice >> 3) % 5) + 0.5;
    if (dice % 3 === 0) {
      values.push(`w${moment}`);
      history.push({ kind: "write", value: `w${moment}`, start, end });
    } else {
      const value = moment === staleAt ? values.at(-3) : values.at(-1);
      history.push({ kind: "read", value, start, end });
    }
  }
  return history;
}

test("long histories of many clients are decided, and one stale read in them is found", () => {
  const seed = Array.from({ length: 2_000 }, (_, index) => (index * 7_919) % 104_729);
  expect(isLinearizable(runRegister(seed, undefined))).toBe(true);
  // A read that begins after the two newest writes have ended, and gives what was there before them.
  const calm = seed.map((dice, moment) => (moment > 1_000 && moment < 1_020 ? 1 : dice));
  expect(isLinearizable(runRegister(calm, undefined))).toBe(true);
  expect(isLinearizable(runRegister(calm, 1_015))).toBe(false);
});
