import fc from "fast-check";
import { expect, test } from "vitest";
import { chartsOf } from "../../../bench/comparison/comparison-charts.ts";
import { lineChart, type LineChart } from "../../../bench/charts/line-chart.ts";
import { labelOf, linearTicks, logTicks, scaleOf } from "../../../bench/charts/scale.ts";
import type { Cell } from "../../../bench/figures/measurement.ts";
import type { RateCell } from "../../../bench/figures/measurement.ts";

const CHART: LineChart = {
  title: "a < b & c",
  xLabel: "x",
  yLabel: "y",
  xScale: "log",
  yScale: "linear",
  series: [
    {
      name: "one",
      points: [
        { x: 1, y: 10, low: 5, high: 20 },
        { x: 16, y: 40 },
      ],
    },
    { name: "two", points: [{ x: 1, y: 0 }] },
  ],
};

test("ticks enclose all values, and there are neither too few nor too many", () => {
  const positive = fc.array(fc.double({ min: 1e-3, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(positive, (values) => {
      for (const ticks of [linearTicks(values), logTicks(values)]) {
        expect(Math.min(...ticks)).toBeLessThanOrEqual(Math.min(...values) * (1 + 1e-9));
        expect(Math.max(...ticks)).toBeGreaterThanOrEqual(Math.max(...values) * (1 - 1e-9));
        expect(ticks.length).toBeGreaterThanOrEqual(2);
        expect(ticks.length).toBeLessThanOrEqual(12);
        expect(ticks).toEqual(ticks.toSorted((a, b) => a - b));
      }
    }),
  );
});

test("a scale maps the first tick to its start and the last to its end", () => {
  expect(scaleOf("linear", [0, 5, 10], 100, 200)(5)).toBe(150);
  const log = scaleOf("log", [1, 10, 100], 0, 100);
  expect([log(1), log(10), log(100)].map(Math.round)).toEqual([0, 50, 100]);
});

test("a logarithmic axis refuses what it cannot show", () => {
  expect(() => logTicks([0, 1])).toThrow(RangeError);
  expect(() => scaleOf("log", [0, 1], 0, 1)).toThrow(RangeError);
});

test("large ticks are short", () => {
  expect([0.05, 5, 2_000, 1_500_000].map(labelOf)).toEqual(["0.05", "5", "2k", "1.5M"]);
});

test("a chart has a line, its points and a name for each series, in well-formed text", () => {
  const svg = lineChart(CHART);
  expect(svg).toContain("a &lt; b &amp; c");
  expect(svg.match(/<polyline/g)).toHaveLength(2);
  expect(svg.match(/<circle/g)).toHaveLength(3);
  expect(svg).toContain(">one</text>");
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  expect(lineChart(CHART)).toBe(svg);
});

test("a higher value is drawn higher up", () => {
  const [first = Number.NaN, second = Number.NaN] = [...lineChart(CHART).matchAll(/<circle cx="[\d.]+" cy="([\d.]+)"/g)]
    .slice(0, 2)
    .map((match) => Number(match[1]));
  expect(second).toBeLessThan(first);
});

test("a chart without a point is refused", () => {
  expect(() => lineChart({ ...CHART, series: [] })).toThrow(RangeError);
});

const one = (value: number) => ({ median: value, min: value, max: value });

function cell(concurrency: number): Cell {
  return {
    job: "echo",
    concurrency,
    contender: "node",
    requestsPerSecond: one(100),
    p50Ms: one(1),
    p99Ms: one(2),
    generatorLoad: one(0.1),
    processes: [{ role: "responder", cpuSecondsPer10k: one(0), rssBytes: one(1) }],
  };
}

test("a job has charts where it was measured at more than one concurrency", () => {
  expect([...chartsOf([cell(1), cell(16)], []).keys()]).toEqual([
    "echo-throughput.svg",
    "echo-p99.svg",
    "echo-cpu.svg",
  ]);
  expect(chartsOf([cell(1)], []).size).toBe(0);
});

test("who does not keep up with a rate has no point there", () => {
  const latency = { p50Ms: one(1), p99Ms: one(2), p999Ms: one(3), sendLagMs: one(0) };
  const rate: RateCell = {
    job: "kv",
    contender: "node",
    fraction: 0.5,
    ratePerSecond: 10,
    heldRounds: 5,
    rounds: 5,
    latency,
  };
  const charts = chartsOf([], [rate, { ...rate, contender: "slow", heldRounds: 2 }]);
  expect(charts.get("kv-rates.svg")).toContain(">node</text>");
  expect(charts.get("kv-rates.svg")).not.toContain(">slow</text>");
});
