import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { BenchError } from "../../../bench/bench-error.ts";
import {
  guardText,
  judgeRatios,
  mediansOf,
  readRecord,
  type Verdict,
  writeRecord,
} from "../../../bench/guard/guard.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

let folder = "";
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "guard-"))));
afterEach(() => rm(folder, { recursive: true }));

const RECORD = { machine: "2 × some", ratios: { "kv@64": 4, "echo@64": 0.8 } };

/** Rounds of kv@64, whose floor is 3: so many above it, so many below. */
function rounds(above: number, below: number): number[] {
  return [...Array<number>(above).fill(3.5), ...Array<number>(below).fill(2.9)];
}

function verdictOn(ratios: readonly number[]): Verdict | undefined {
  return judgeRatios(new Map([["kv@64", ratios]]), RECORD)[0]?.verdict;
}

test("a ratio whose median is three quarters of its record holds, however few rounds there were", () => {
  expect(verdictOn([3])).toBe("holds");
  expect(verdictOn(rounds(6, 5))).toBe("holds");
  expect(verdictOn([40])).toBe("holds");
});

test("a ratio that is below in every round has fallen, and is found to have in the usual rounds", () => {
  expect(verdictOn(rounds(0, 11))).toBe("fallen");
});

test("a median below that a few rounds may have made is open, until many have", () => {
  expect(verdictOn(rounds(1, 10))).toBe("open");
  expect(verdictOn(rounds(6, 19))).toBe("open");
  expect(verdictOn(rounds(5, 20))).toBe("fallen");
});

test("how far below does not matter, nor does the order: a few rounds on a machine that stalled prove nothing", () => {
  const wild = [...rounds(5, 0), ...Array<number>(6).fill(0.001)];
  expect(verdictOn(wild)).toBe("open");
  expect(verdictOn(wild.toReversed())).toBe("open");
});

test("a host at its record is not found to have fallen, and one at half of it is, whatever the noise of a round", () => {
  const level = fc.double({ min: 0.7, max: 1.4, noNaN: true });
  fc.assert(
    fc.property(fc.array(level, { minLength: 11, maxLength: 25 }), (noise) => {
      const seen = (factor: number): Verdict | undefined => verdictOn(noise.map((of) => 4 * factor * of));
      // Half of the record times the largest noise is below the floor.
      expect(seen(0.5)).toBe("fallen");
      expect(seen(1.08)).toBe("holds");
    }),
    { interruptAfterTimeLimit: PROPERTY_TIME_MS },
  );
});

test("the table says how many rounds there were and what they say", () => {
  const judged = judgeRatios(new Map([["echo@64", Array<number>(11).fill(0.5)]]), RECORD);
  expect(guardText(judged)).toContain("| echo@64 | 11     | 0.50×    | 0.50×     | 0.80×    | 0.60×    | no    |");
});

test("what was never recorded is refused with what to do", () => {
  expect(() => judgeRatios(new Map([["kv@16", [4]]]), RECORD)).toThrow(/guard --record/);
});

test("a missing record says what to do", async () => {
  await expect(readRecord(join(folder, "none.json"))).rejects.toThrow(/There is no .*guard --record/);
});

test("an invalid record says what to do", async () => {
  const path = join(folder, "record.json");
  for (const text of ["{", '{"ratios":{"kv@64":"4"}}', '{"machine":"m","ratios":{"kv@64":0}}']) {
    await writeFile(path, text);
    await expect(readRecord(path)).rejects.toThrow(BenchError);
  }
});

test("a record is read as it was written", async () => {
  const path = join(folder, "record.json");
  await writeRecord(RECORD, path);
  expect(await readRecord(path)).toEqual(RECORD);
});

test("recorded is the median of the rounds, in three digits", () => {
  expect(mediansOf(new Map([["kv@64", [9, 4.12345, 1]]]))).toEqual({ "kv@64": 4.12 });
});
