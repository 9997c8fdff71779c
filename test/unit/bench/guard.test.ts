import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { BenchError } from "../../../bench/bench-error.ts";
import { guardText, judgeRatios, ratiosOf, readRecord, writeRecord } from "../../../bench/guard.ts";
import type { Comparison } from "../../../bench/measurement.ts";

let folder = "";
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "guard-"))));
afterEach(() => rm(folder, { recursive: true }));

const RECORD = { machine: "2 × some", ratios: { "kv@64": 4, "echo@64": 0.8 } };

test("a ratio holds down to three quarters of its record", () => {
  const verdicts = judgeRatios({ "kv@64": 3, "echo@64": 0.599 }, RECORD);
  expect(verdicts.map(({ place, holds }) => [place, holds])).toEqual([
    ["kv@64", true],
    ["echo@64", false],
  ]);
  expect(guardText(verdicts)).toContain("| echo@64 | 0.60×    | 0.80×    | 0.60×    | no    |");
});

test("a host that has become faster holds", () => {
  expect(judgeRatios({ "kv@64": 40 }, RECORD)[0]?.holds).toBe(true);
});

test("what was never recorded is refused with what to do", () => {
  expect(() => judgeRatios({ "kv@16": 4 }, RECORD)).toThrow(/--guard --record/);
});

test("a missing record says what to do", async () => {
  await expect(readRecord(join(folder, "none.json"))).rejects.toThrow(/There is no .*--guard --record/);
});

test("a record that is none says what to do", async () => {
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
  const spread = { median: 4.12345, min: 1, max: 9 };
  const comparison = { job: "kv", concurrency: 64, contender: "host-auto", cpu: undefined } as const;
  const comparisons: Comparison[] = [{ ...comparison, requestsPerSecond: spread, p50: spread, p99: spread }];
  expect(ratiosOf(comparisons)).toEqual({ "kv@64": 4.12 });
});
