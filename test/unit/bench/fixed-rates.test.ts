import { expect, test } from "vitest";
import type { Measurement } from "../../../bench/figures/measurement.ts";
import { bestThroughput, keptUp, type RateMeasurement, summarizeRates } from "../../../bench/comparison/fixed-rates.ts";
import { ratesText } from "../../../bench/comparison/report.ts";

function closed(contender: string, concurrency: number, requestsPerSecond: number): Measurement {
  return {
    job: "kv",
    contender,
    concurrency,
    round: 1,
    requests: 1,
    requestsPerSecond,
    latencyMs: { p50: 1, p90: 1, p99: 1, p999: 1, max: 1 },
    generatorLoad: 0,
    processes: [],
  };
}

function rate(round: number, p99: number | undefined): RateMeasurement {
  const latencyMs = { p50: 1, p90: 2, p99: p99 ?? 0, p999: 9, max: 10 };
  return {
    job: "kv",
    contender: "node",
    fraction: 0.5,
    ratePerSecond: 500,
    round,
    outcome:
      p99 === undefined ? { kind: "not-held", reason: "too slow" } : { kind: "held", latencyMs, sendLagP99Ms: 0.1 },
  };
}

test("rates are fractions of the best median over the concurrencies", () => {
  const measurements = [
    ...[100, 300, 110].map((value) => closed("node", 1, value)),
    ...[200, 190, 210].map((value) => closed("node", 16, value)),
    closed("host", 16, 9_999),
  ];
  expect(bestThroughput(measurements, "node")).toBe(200);
  expect(bestThroughput(measurements, "go")).toBeUndefined();
});

test("latency is that of the rounds in which the rate was kept up", () => {
  const [cell] = summarizeRates([rate(1, 4), rate(2, undefined), rate(3, 6)]);
  expect(cell).toMatchObject({ heldRounds: 2, rounds: 3, latency: { p99Ms: { median: 5, min: 4, max: 6 } } });
});

test("who never keeps up has no latency, and the table says so", () => {
  const cells = summarizeRates([rate(1, undefined)]);
  expect(cells[0]?.latency).toBeUndefined();
  expect(ratesText(cells)).toMatch(/\| 50 % +\| 500 +\| node \| 0 of 1 +\| +\| +\| +\| +\|/);
});

test("a queue that takes long to empty was not kept up with", () => {
  expect(keptUp(399, 2_000)).toBe(true);
  expect(keptUp(401, 2_000)).toBe(false);
  expect(keptUp(90, 100)).toBe(true);
});
