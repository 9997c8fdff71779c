/**
 * The tables of docs/performance.md that are about the host alone: scaling, growth, soak, swap, fairness and fleet. Pure.
 *
 * @module
 */

import { digits, table, times, whole } from "../figures/report-text.ts";
import type { Figures } from "../published/figures.ts";
import { figureText, medianText, plain } from "./figure-text.ts";
import { ms } from "./run-tables.ts";

const BYTE_UNITS = ["B", "KiB", "MiB"];
const KIB = 1024;

export function scalingTable({ rows }: Figures["scaling"]): string {
  return table(
    ["job", "in flight", "one process", "two processes", "ratio"],
    rows.map(({ job, concurrency, one, two, ratio }) => [
      `\`${job}\``,
      String(concurrency),
      `${medianText(one, whole)}/s`,
      `${medianText(two, whole)}/s`,
      figureText(ratio, times),
    ]),
  );
}

/** The ends of each curve. */
export function growthTable({ points }: Figures["growth"]): string {
  const lines = Map.groupBy(points, ({ curve, job }) => `${curve} ${job}`);
  return table(
    ["curve", "job", "from", "to"],
    [...lines.values()].flatMap((line) => {
      const [from, ...others] = line.toSorted((a, b) => a.x - b.x);
      const to = others.at(-1);
      if (from === undefined || to === undefined) return [];
      return [[`\`${from.curve}\``, `\`${from.job}\``, endText(from), endText(to)]];
    }),
  );
}

function endText({ curve, x, requestsPerSecond, cpuMicros, hostMib }: Figures["growth"]["points"][number]): string {
  const at = curve === "payload" || curve === "memory" ? bytesText(x) : whole(x);
  const parts = [
    `${medianText(requestsPerSecond, whole)}/s`,
    ...(cpuMicros === undefined ? [] : [`${medianText(cpuMicros, digits)} µs`]),
    // Memory is what grows with the plugins.
    ...(hostMib === undefined || curve !== "plugins" ? [] : [`host ${whole(hostMib.median)} MiB`]),
  ];
  return `${at}: ${parts.join(", ")}`;
}

function bytesText(bytes: number): string {
  if (bytes >= 1_000_000 && bytes % KIB !== 0) return `${plain(digits(bytes / 1_000_000))} MB`;
  let [value, unit] = [bytes, 0];
  for (; value >= KIB && unit < BYTE_UNITS.length - 1; unit += 1) value /= KIB;
  return `${whole(value)} ${BYTE_UNITS[unit]}`;
}

export function soakTable({ roles }: Figures["soak"]): string {
  return table(
    ["", "second quarter", "last quarter", "bytes a request", "flat"],
    roles.map(({ role, earlyMib, lateMib, bytesPerRequest, isFlat }) => [
      role,
      `${whole(earlyMib)} MiB`,
      `${whole(lateMib)} MiB`,
      bytesPerRequest.toFixed(1),
      isFlat ? "yes" : "no",
    ]),
  );
}

export function swapTable({ rows }: Figures["swap"]): string {
  return table(
    ["", "replacements", "p50", "p99 without, ms", "p99 with, ms", "ratio of p99", "failed requests"],
    rows.map((row) => [
      row.job,
      String(row.swaps),
      `${medianText(row.quietP50Ms, digits)} → ${medianText(row.swappedP50Ms, ms)}`,
      figureText(row.quietP99Ms, digits),
      figureText(row.swappedP99Ms, digits),
      figureText(row.ratio, times),
      String(row.failed),
    ]),
  );
}

/** A row for each attack, with the good plugins beside each other. */
export function fairnessTable({ rows }: Figures["fairness"]): string {
  const jobs = [...new Set(rows.map(({ job }) => job))];
  return table(
    ["beside", `p99 quiet, ${jobs.join(" / ")}`, "p99 beside it", "ratio"],
    [...Map.groupBy(rows, ({ attack }) => attack)].map(([attack, own]) => {
      const sorted = jobs.flatMap((job) => own.filter((row) => row.job === job));
      return [
        `\`${attack}\``,
        `${sorted.map((row) => digits(row.quietP99Ms.median)).join(" / ")} ms`,
        `${sorted.map((row) => digits(row.attackedP99Ms.median)).join(" / ")} ms`,
        sorted.map((row) => times(row.ratio.median)).join(" / "),
      ];
    }),
  );
}

export function fleetTable({ rows }: Figures["fleet"]): string {
  const optional = (value: number | undefined, text: (value: number) => string): string =>
    value === undefined ? "" : text(value);
  return table(
    ["plugins", "ready after", "host's memory", "processes", "first request", "warm request", "a runner's memory"],
    rows.map((row) => [
      whole(row.plugins),
      optional(row.readyMs, (value) => plain(`${digits(value / 1_000)} s`)),
      optional(row.hostMib, (value) => `${whole(value)} MiB`),
      optional(row.idleProcesses, String),
      optional(row.firstRequestMs, ms),
      optional(row.warmMs, ms),
      optional(row.runnerMib, (value) => `${whole(value)} MiB`),
    ]),
  );
}
