/**
 * The figures for people: tables in Markdown, which read well on a terminal and in docs/performance.md. Pure.
 *
 * @module
 */

import type { JobName } from "./jobs.ts";
import { JOBS } from "./jobs.ts";
import type { Machine } from "./machine.ts";
import type { Cell, Comparison, Summary } from "./measurement.ts";
import type { Spread } from "./statistics.ts";

const MIB = 2 ** 20;

/** A generator that is busier than this on one core may bound what it measures. */
export const BUSY_GENERATOR = 0.8;

/** One line on the machine. */
export function machineLine({ cpu, cores, memoryGiB, system, loadAverage, versions }: Machine): string {
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `${cores} × ${cpu}, ${memoryGiB} GiB, ${system}, load average before ${loadAverage.toFixed(1)}; ${programs.join(", ")}`;
}

/** All tables of a run. Figures are medians over the rounds, with the smallest and the largest in brackets. */
export function reportText({ cells, comparisons }: Summary): string {
  const jobs = [...new Set(cells.map(({ job }) => job))];
  return jobs.map((job) => jobText(job, cells, comparisons)).join("\n\n");
}

/** What must be known to read the figures rightly; empty when there is nothing. */
export function warnings(cells: readonly Cell[]): readonly string[] {
  return cells
    .filter(({ generatorLoad }) => generatorLoad.median > BUSY_GENERATOR)
    .map(
      ({ job, concurrency, contender, generatorLoad }) =>
        `${job}@${concurrency} ${contender}: the load generator used ${percent(generatorLoad.median)} of a core and may be the bottleneck`,
    );
}

function jobText(job: JobName, cells: readonly Cell[], comparisons: readonly Comparison[]): string {
  const own = cells.filter((cell) => cell.job === job).toSorted((a, b) => a.concurrency - b.concurrency);
  const compared = comparisons.filter((one) => one.job === job).toSorted((a, b) => a.concurrency - b.concurrency);
  return [
    `## ${job}: ${JOBS[job].summary}`,
    speedTable(own),
    "As ratios to the hand-written responder, round by round:",
    ratioTable(compared),
    "CPU seconds for 10,000 requests, and memory in MiB at its highest:",
    costTable(own),
  ].join("\n\n");
}

function speedTable(cells: readonly Cell[]): string {
  return table(
    ["in flight", "", "requests/s", "p50 ms", "p99 ms", "generator"],
    cells.map((cell) => [
      String(cell.concurrency),
      cell.contender,
      spread(cell.requestsPerSecond, whole),
      spread(cell.p50Ms, digits),
      spread(cell.p99Ms, digits),
      percent(cell.generatorLoad.median),
    ]),
  );
}

function ratioTable(comparisons: readonly Comparison[]): string {
  return table(
    ["in flight", "", "requests/s", "p50", "p99", "own CPU a request"],
    comparisons.map((one) => [
      String(one.concurrency),
      one.contender,
      spread(one.requestsPerSecond, times),
      spread(one.p50, times),
      spread(one.p99, times),
      one.cpu === undefined ? "–" : spread(one.cpu, times),
    ]),
  );
}

function costTable(cells: readonly Cell[]): string {
  const roles = [...new Set(cells.flatMap(({ processes }) => processes.map(({ role }) => role)))];
  return table(
    ["in flight", "", ...roles],
    cells.map(({ concurrency, contender, processes }) => [
      String(concurrency),
      contender,
      ...roles.map((role) => {
        const cost = processes.find((process) => process.role === role);
        if (cost === undefined) return "";
        return `${digits(cost.cpuSecondsPer10k.median)} s, ${whole(cost.rssBytes.max / MIB)}`;
      }),
    ]),
  );
}

/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

/** The median, with the smallest and the largest value in brackets. */
export function spread({ median, min, max }: Spread, format: (value: number) => string): string {
  return `${format(median)} (${format(min)}–${format(max)})`;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** Three digits that count, two of a small figure. */
export function digits(value: number): string {
  if (value >= 100) return whole(value);
  if (value >= 10) return value.toFixed(1);
  return value >= 0.1 || value === 0 ? value.toFixed(2) : value.toPrecision(2);
}

export function times(value: number): string {
  return `${digits(value)}×`;
}

function percent(value: number): string {
  return `${Math.round(value * 100)} %`;
}
