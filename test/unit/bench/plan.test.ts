import { expect, test } from "vitest";
import { BenchError } from "../../../bench/bench-error.ts";
import { parsePlan } from "../../../bench/plan.ts";

test("a quick run measures the same as a full one, in less time and not below five rounds", () => {
  const [full, quick] = [parsePlan([]), parsePlan(["--quick"])];
  expect(quick?.jobs).toEqual(full?.jobs);
  expect(quick?.concurrencies).toEqual(full?.concurrencies);
  expect(quick?.measureMs).toBeLessThan(full?.measureMs ?? 0);
  expect(quick?.rounds).toBeGreaterThanOrEqual(5);
});

test("jobs, concurrencies, rounds and store can be chosen", () => {
  expect(
    parsePlan(["--jobs", "kv", "--concurrency", "1, 8,1", "--rounds", "9", "--store", "sqlite", "--host", "other.js"]),
  ).toMatchObject({ jobs: ["kv"], concurrencies: [1, 8], rounds: 9, store: "sqlite", hostPath: "other.js" });
});

test("fairness is measured where it is asked for, beside all attacks or those named", () => {
  expect(parsePlan([])?.attacks).toBeUndefined();
  expect(parsePlan(["--fairness"])?.attacks).toContain("spin");
  expect(parsePlan(["--fairness", "--attacks", "log,spin", "--rounds", "3"])).toMatchObject({
    attacks: ["log", "spin"],
    rounds: 3,
  });
});

test("help asks for no run", () => {
  expect(parsePlan(["--help"])).toBeUndefined();
});

test.each([
  [["--rounds", "4"]],
  [["--concurrency", "0"]],
  [["--concurrency", "1e3"]],
  [["--jobs", "ekho"]],
  [["--store", "redis"]],
  [["--fairness", "--attacks", "spinn"]],
  [["--fairness", "--rounds", "2"]],
  [["--attacks", "spin"]],
  [["--fast"]],
  [["quick"]],
])("%j is refused with what to write instead", (args) => {
  expect(() => parsePlan(args)).toThrow(BenchError);
});
