/**
 * The charts of a run: for each job throughput, tail latency and CPU time over the requests in flight, and tail latency
 * over fixed rates. Pure.
 *
 * @module
 */

import type { Cell, RateCell } from "../figures/measurement.ts";
import { isServerRole } from "../servers/servers.ts";
import type { Spread } from "../figures/statistics.ts";
import { type ChartPoint, lineChart, type Series } from "../charts/line-chart.ts";

/** @returns file name → SVG, for what has more than one point on a line. */
export function chartsOf(cells: readonly Cell[], rateCells: readonly RateCell[]): Map<string, string> {
  const charts = new Map<string, string>();
  for (const [job, own] of Map.groupBy(cells, (cell) => cell.job)) {
    if (new Set(own.map(({ concurrency }) => concurrency)).size < 2) continue;
    const overConcurrency = (figure: (cell: Cell) => Spread) => seriesOf(own, ({ concurrency }) => concurrency, figure);
    const axes = { xLabel: "requests in flight", xScale: "log" } as const;
    charts.set(
      `${job}-throughput.svg`,
      lineChart({
        ...axes,
        title: `${job}: throughput`,
        yLabel: "requests/s",
        yScale: "linear",
        series: overConcurrency((cell) => cell.requestsPerSecond),
      }),
    );
    charts.set(
      `${job}-p99.svg`,
      lineChart({
        ...axes,
        title: `${job}: 99 of 100 requests are answered within`,
        yLabel: "ms",
        yScale: "log",
        series: overConcurrency((cell) => cell.p99Ms),
      }),
    );
    const withCpu = own.filter(({ processes }) => processes.length > 0);
    if (withCpu.length === 0) continue;
    charts.set(
      `${job}-cpu.svg`,
      lineChart({
        ...axes,
        title: `${job}: CPU time of the contender's own processes`,
        yLabel: "seconds for 10,000 requests",
        yScale: "log",
        series: seriesOf(withCpu, ({ concurrency }) => concurrency, ownCpu),
      }),
    );
  }
  for (const [job, own] of Map.groupBy(rateCells, (cell) => cell.job)) {
    const chart = rateChart(job, own);
    if (chart !== undefined) charts.set(`${job}-rates.svg`, chart);
  }
  return charts;
}

/** Who kept up in less than half of the rounds has no point at that rate. */
function rateChart(job: Cell["job"], cells: readonly RateCell[]): string | undefined {
  const held = cells.flatMap(({ latency, heldRounds, rounds, ...cell }) =>
    latency !== undefined && heldRounds * 2 > rounds ? [{ ...cell, p99Ms: latency.p99Ms }] : [],
  );
  if (held.length === 0) return undefined;
  return lineChart({
    title: `${job}: p99 at fixed rates, where the rate is kept up`,
    xLabel: "percent of the hand-written Node responder's throughput",
    yLabel: "ms",
    xScale: "linear",
    yScale: "log",
    series: seriesOf(
      held,
      ({ fraction }) => Math.round(fraction * 100),
      ({ p99Ms }) => p99Ms,
    ),
  });
}

function seriesOf<Of extends { readonly contender: string }>(
  cells: readonly Of[],
  x: (cell: Of) => number,
  y: (cell: Of) => Spread,
): Series[] {
  return [...Map.groupBy(cells, ({ contender }) => contender)].map(([name, own]) => ({
    name,
    points: own.map((cell): ChartPoint => {
      const { median, min, max } = y(cell);
      return { x: x(cell), y: median, low: min, high: max };
    }),
  }));
}

/** The kernel counts in hundredths of a second: less than one of them is not told from none. */
const LEAST_SECONDS = 0.001;

function ownCpu({ processes }: Cell): Spread {
  const own = processes.filter(({ role }) => !isServerRole(role)).map(({ cpuSecondsPer10k }) => cpuSecondsPer10k);
  const sum = (figure: (spread: Spread) => number): number =>
    Math.max(
      LEAST_SECONDS,
      own.reduce((total, spread) => total + figure(spread), 0),
    );
  return { median: sum(({ median }) => median), min: sum(({ min }) => min), max: sum(({ max }) => max) };
}
