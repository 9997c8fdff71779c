/**
 * The charts of growth: for each curve throughput, latency and CPU time. Pure.
 *
 * @module
 */

import { lineChart, type Series } from "../charts/line-chart.ts";
import type { Spread } from "../figures/statistics.ts";
import { type Curve, type CurveName, CURVES } from "./curves.ts";
import type { GrowthCell } from "./growth.ts";

/** Steps of a curve that are this far apart are drawn on a logarithmic axis. */
const WIDE = 8;

/** @returns file name → SVG, for curves of more than one point. */
export function growthCharts(cells: readonly GrowthCell[]): Map<string, string> {
  const charts = new Map<string, string>();
  for (const [name, all] of Map.groupBy(cells, ({ curve }) => curve)) {
    const own = drawable(name, all);
    if (new Set(own.map(({ x }) => x)).size < 2) continue;
    const { axis } = CURVES[name];
    const draw = (title: string, yLabel: string, yScale: "linear" | "log", series: readonly Series[]): string =>
      lineChart({ title: `${title} over ${name}`, xLabel: axis, yLabel, xScale: xScaleOf(own), yScale, series });
    const series = (figure: (cell: GrowthCell) => Spread | undefined, suffix = ""): Series[] =>
      seriesOf(own, CURVES[name], figure, suffix);
    charts.set(
      `growth-${name}-throughput.svg`,
      draw(
        "throughput",
        "requests/s",
        "log",
        series((cell) => cell.requestsPerSecond),
      ),
    );
    charts.set(
      `growth-${name}-latency.svg`,
      draw("latency", "ms", "log", [...series((cell) => cell.p50Ms, " p50"), ...series((cell) => cell.p99Ms, " p99")]),
    );
    if (own.some(({ cpuMicros }) => cpuMicros === undefined || cpuMicros.min <= 0)) continue;
    charts.set(
      `growth-${name}-cpu.svg`,
      draw(
        "CPU time",
        "µs a request",
        "log",
        series((cell) => cell.cpuMicros),
      ),
    );
  }
  return charts;
}

/** A logarithmic axis has no place for nothing at all. */
function drawable(curve: CurveName, cells: readonly GrowthCell[]): GrowthCell[] {
  return cells.filter(({ x }) => x > 0 || xScaleOf(cells.filter((cell) => cell.curve === curve)) === "linear");
}

function xScaleOf(cells: readonly GrowthCell[]): "linear" | "log" {
  const xs = cells.map(({ x }) => x).filter((x) => x > 0);
  return Math.max(...xs) / Math.min(...xs) >= WIDE ? "log" : "linear";
}

function seriesOf(
  cells: readonly GrowthCell[],
  { unit }: Curve,
  figure: (cell: GrowthCell) => Spread | undefined,
  suffix: string,
): Series[] {
  return [...Map.groupBy(cells, ({ job }) => job)].map(([job, own]) => ({
    name: `${job}${suffix}`,
    points: own.flatMap((cell) => {
      const spread = figure(cell);
      return spread === undefined ? [] : [{ x: cell.x / unit, y: spread.median, low: spread.min, high: spread.max }];
    }),
  }));
}
