/**
 * A line chart as SVG: a line for each series, a bar from the smallest to the largest value at each point. Pure; the
 * same data give the same bytes.
 *
 * @module
 */

import { escapeXml, labelOf, linearTicks, logTicks, type Scale, scaleOf } from "./scale.ts";

/** One value, with its spread where it has one. */
export interface ChartPoint {
  readonly x: number;
  readonly y: number;
  readonly low?: number;
  readonly high?: number;
}

/** One line. */
export interface Series {
  readonly name: string;
  readonly points: readonly ChartPoint[];
}

/** What to draw. Logarithmic axes need positive values. */
export interface LineChart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly xScale: "linear" | "log";
  readonly yScale: "linear" | "log";
  readonly series: readonly Series[];
}

const WIDTH = 760;
const HEIGHT = 420;
const PLOT = { left: 80, right: 590, top: 50, bottom: 360 } as const;
/** Colours that people of every kind of colour vision tell apart (Okabe and Ito), on white. */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c6d31"];

export function lineChart(chart: LineChart): string {
  const points = chart.series.flatMap(({ points }) => points);
  if (points.length === 0) throw new RangeError("a chart needs a point");
  const xTicks = [...new Set(points.map(({ x }) => x))].toSorted((a, b) => a - b);
  const ys = points.flatMap(({ y, low = y, high = y }) => [y, low, high]);
  const yTicks = chart.yScale === "log" ? logTicks(ys) : linearTicks(ys);
  const x = scaleOf(chart.xScale, xTicks, PLOT.left + 15, PLOT.right - 15);
  const y = scaleOf(chart.yScale, yTicks, PLOT.bottom, PLOT.top);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" font-family="sans-serif" font-size="13">`,
    `<title>${escapeXml(chart.title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(PLOT.left, 28, chart.title, 'font-size="16" font-weight="bold"'),
    ...yTicks.map((tick) => yTick(tick, y)),
    ...xTicks.map((tick) => text(x(tick), PLOT.bottom + 20, labelOf(tick), 'text-anchor="middle"')),
    text((PLOT.left + PLOT.right) / 2, HEIGHT - 18, chart.xLabel, 'text-anchor="middle"'),
    `<text transform="translate(20 ${(PLOT.top + PLOT.bottom) / 2}) rotate(-90)" text-anchor="middle">${escapeXml(chart.yLabel)}</text>`,
    ...chart.series.flatMap((series, index) => line(series, index, x, y)),
    "</svg>",
    "",
  ].join("\n");
}

function yTick(tick: number, y: Scale): string {
  const at = number(y(tick));
  return [
    `<line x1="${PLOT.left}" x2="${PLOT.right}" y1="${at}" y2="${at}" stroke="#d9d9d9"/>`,
    text(PLOT.left - 8, y(tick) + 4, labelOf(tick), 'text-anchor="end"'),
  ].join("\n");
}

function line({ name, points }: Series, index: number, x: Scale, y: Scale): string[] {
  const colour = COLOURS[index % COLOURS.length] ?? "#000000";
  const sorted = points.toSorted((a, b) => a.x - b.x);
  const path = sorted.map((point) => `${number(x(point.x))},${number(y(point.y))}`).join(" ");
  const legendY = PLOT.top + 10 + index * 22;
  return [
    `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    ...sorted.flatMap((point) => pointMarks(point, colour, x, y)),
    `<line x1="${PLOT.right + 15}" x2="${PLOT.right + 40}" y1="${legendY}" y2="${legendY}" stroke="${colour}" stroke-width="3"/>`,
    text(PLOT.right + 48, legendY + 4, name, ""),
  ];
}

function pointMarks({ x: at, y: value, low, high }: ChartPoint, colour: string, x: Scale, y: Scale): string[] {
  const centre = number(x(at));
  const bar =
    low === undefined || high === undefined
      ? []
      : [
          `<line x1="${centre}" x2="${centre}" y1="${number(y(low))}" y2="${number(y(high))}" stroke="${colour}" stroke-opacity="0.5"/>`,
        ];
  return [...bar, `<circle cx="${centre}" cy="${number(y(value))}" r="3.5" fill="${colour}"/>`];
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${number(x)}" y="${number(y)}"${attributes === "" ? "" : ` ${attributes}`}>${escapeXml(content)}</text>`;
}

function number(value: number): string {
  return String(Number(value.toFixed(1)));
}
