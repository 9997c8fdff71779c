/**
 * The figures for people: tables in Markdown, which read well on a terminal and in docs/performance.md. Pure.
 *
 * @module
 */

import type { LeftOut } from "./competitors.ts";
import { type JobName, JOBS } from "../jobs/jobs.ts";
import { BUSY_GENERATOR, type Cell, type Comparison, type RateCell, type Summary } from "../figures/measurement.ts";
import { digits, percent, spread, table, times, whole } from "../figures/report-text.ts";

const MIB = 2 ** 20;

const NODE_TITLE = "the hand-written responder in Node";

/**
 * All tables of a run. Figures are medians over the rounds, with the smallest and the largest in brackets.
 * @param baseline what the comparisons are with
 */
export function reportText({ cells, comparisons }: Summary, baseline: string = NODE_TITLE): string {
  const jobs = [...new Set(cells.map(({ job }) => job))];
  return jobs.map((job) => jobText(job, cells, comparisons, baseline)).join("\n\n");
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

/** What this run did not measure, and why; nothing where there was all. */
export function leftOutText(leftOut: readonly LeftOut[]): string {
  if (leftOut.length === 0) return "";
  const lines = leftOut.map(({ what, reason }) => `- ${what}: ${reason.split("\n", 1)[0]}`);
  return ["Left out:", "", ...lines].join("\n");
}

function jobText(job: JobName, cells: readonly Cell[], comparisons: readonly Comparison[], baseline: string): string {
  const own = cells.filter((cell) => cell.job === job).toSorted((a, b) => a.concurrency - b.concurrency);
  const compared = comparisons.filter((one) => one.job === job).toSorted((a, b) => a.concurrency - b.concurrency);
  return [
    `## ${job}: ${JOBS[job].summary}`,
    speedTable(own),
    ...(compared.length === 0 ? [] : [`As ratios to ${baseline}, round by round:`, ratioTable(compared)]),
    "CPU seconds for 10,000 requests, and memory in MiB at its highest:",
    costTable(own),
  ].join("\n\n");
}

/** The tables of the fixed rates; nothing where there were none. */
export function ratesText(cells: readonly RateCell[]): string {
  const jobs = [...new Set(cells.map(({ job }) => job))];
  const tables = jobs.map((job) => {
    const rows = cells
      .filter((cell) => cell.job === job)
      .toSorted((a, b) => a.fraction - b.fraction)
      .map(({ fraction, ratePerSecond, contender, heldRounds, rounds, latency }) => [
        percent(fraction),
        whole(ratePerSecond),
        contender,
        `${heldRounds} of ${rounds}`,
        latency === undefined ? "" : spread(latency.p50Ms, digits),
        latency === undefined ? "" : spread(latency.p99Ms, digits),
        latency === undefined ? "" : spread(latency.p999Ms, digits),
        latency === undefined ? "" : spread(latency.sendLagMs, digits),
      ]);
    const head = ["rate", "requests/s", "", "rounds held", "p50 ms", "p99 ms", "p99.9 ms", "sent late ms, p99"];
    return `## ${job} at fixed rates\n\n${table(head, rows)}`;
  });
  return tables.join("\n\n");
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
