import { expect, test } from "vitest";
import type { Measurement } from "../../../bench/figures/measurement.ts";
import { judge, targetsText } from "../../../bench/comparison/targets.ts";

function measured(contender: string, requestsPerSecond: number, p99 = 4): Measurement {
  return {
    job: "kv",
    contender,
    concurrency: 16,
    round: 1,
    requests: 1_000,
    requestsPerSecond,
    latencyMs: { p50: 1, p90: 2, p99, p999: 5, max: 6 },
    generatorLoad: 0.2,
    processes: [],
  };
}

const isServer = (): boolean => false;

function resultsFor(measurements: readonly Measurement[]) {
  return judge(measurements, "host-auto", isServer).filter(({ measured }) => measured !== undefined);
}

test("a target is met by the median ratio to the contender that it names", () => {
  const results = resultsFor([measured("host-auto", 230, 3), measured("node", 100, 4), measured("host-jco", 1)]);
  expect(results.map(({ target, met }) => [target.figure, met])).toEqual([
    ["requestsPerSecond", true],
    ["p99", false],
  ]);
});

test("a ratio on the bound meets it", () => {
  const [first] = resultsFor([measured("host-auto", 220), measured("node", 100)]);
  expect(first?.met).toBe(true);
});

test("a target that a run says nothing about is neither met nor missed", () => {
  const results = judge([measured("host-auto", 1)], "host-auto", isServer);
  expect(results.every(({ met }) => met === undefined)).toBe(true);
  expect(targetsText(results)).toBe(`${results.length} more targets need what this run did not measure.`);
});

test("the table says what was wanted, what was measured and whether that is enough", () => {
  const text = targetsText(judge([measured("host-auto", 100), measured("node", 100)], "host-auto", isServer));
  expect(text).toContain("| kv@16 | requests/s against node | ≥ 2.20× | 1.00× (1.00–1.00) | no  |");
});
