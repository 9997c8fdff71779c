/**
 * The tables of docs/performance.md that come from `run`. Pure.
 *
 * @module
 */

import { digits, percent, table, times, whole } from "../figures/report-text.ts";
import type { JobName } from "../jobs/jobs.ts";
import type { PublishedCell, PublishedRatio, PublishedRun } from "../published/figures.ts";
import { figureText, medianText, plain } from "./figure-text.ts";

/** Throughput and latency of one job. */
export function speedTable({ cells }: PublishedRun, job: JobName): string {
  return table(
    ["in flight", "", "requests/s", "p50 ms", "p99 ms", "generator"],
    sorted(cells, job).map((cell) => [
      String(cell.concurrency),
      cell.contender,
      figureText(cell.requestsPerSecond, whole),
      figureText(cell.p50Ms, digits),
      figureText(cell.p99Ms, digits),
      cell.generatorLoad === undefined ? "" : percent(cell.generatorLoad),
    ]),
  );
}

/** One job as ratios to a contender. */
export function ratioTable({ ratios }: PublishedRun, job: JobName, against: string): string {
  return table(
    ["in flight", "", "requests/s", "p50", "p99", "own CPU a request"],
    sorted(ratios, job)
      .filter((ratio) => ratio.against === against)
      .map(({ concurrency, contender, requestsPerSecond, p50, p99, cpu }) =>
        [String(concurrency), contender].concat(
          [requestsPerSecond, p50, p99, cpu].map((figure) => figureText(figure, times)),
        ),
      ),
  );
}

/** CPU time and memory of one job, by process. */
export function costTable({ cells }: PublishedRun, job: JobName): string {
  const own = sorted(cells, job);
  const roles = [...new Set(own.flatMap(({ processes = [] }) => processes.map(({ role }) => role)))];
  return table(
    ["in flight", "", ...roles],
    own.map(({ concurrency, contender, processes = [] }) =>
      [String(concurrency), contender].concat(
        roles.map((role) => {
          const cost = processes.find((process) => process.role === role);
          if (cost === undefined) return "";
          const seconds = `${digits(cost.cpuSecondsPer10k)} s`;
          return cost.mib === undefined ? seconds : `${seconds}, ${whole(cost.mib)}`;
        }),
      ),
    ),
  );
}

/** Contenders beside each other at one job: requests a second, and the ratio to `baseline` in brackets. */
export function hostsTable(run: PublishedRun, job: JobName, baseline: string): string {
  const own = run.cells.filter((cell) => cell.job === job);
  const contenders = [...new Set(own.map(({ contender }) => contender))];
  const concurrencies = [...new Set(own.map(({ concurrency }) => concurrency))].toSorted((a, b) => a - b);
  return table(
    ["in flight", ...contenders],
    concurrencies.map((concurrency) =>
      [String(concurrency)].concat(
        contenders.map((contender) => {
          const place = { job, concurrency, contender };
          const ratio = findRatio(run, place, baseline);
          const throughput = medianText(findCell(run, place)?.requestsPerSecond, whole);
          return ratio === undefined ? throughput : `${throughput} (${times(ratio.requestsPerSecond.median)})`;
        }),
      ),
    ),
  );
}

/** A row for each job of one contender: requests a second with the ratio to `baseline`, and the costs of its processes. */
export function jobsTable(run: PublishedRun, contender: string, baseline: string): string {
  const jobs = [...new Set(run.cells.map(({ job }) => job))];
  return table(
    [
      "job",
      "requests/s at 16",
      `to ${baseline}`,
      "requests/s at 64",
      `to ${baseline}`,
      "p99 at 64",
      "CPU host",
      "CPU runner",
    ],
    jobs.map((job) => {
      const [some, many] = [16, 64].map((concurrency) => ({ job, concurrency, contender }));
      const throughput = [some, many].flatMap((place) => [
        throughputText(place && findCell(run, place)),
        medianText(place && findRatio(run, place, baseline)?.requestsPerSecond, times),
      ]);
      const cell = many && findCell(run, many);
      const cpuOf = (role: string): string => {
        const cost = cell?.processes?.find((process) => process.role === role);
        return cost === undefined ? "" : `${plain(digits(cost.cpuSecondsPer10k))} s`;
      };
      return [`\`${job}\``].concat(throughput, [medianText(cell?.p99Ms, ms), cpuOf("host"), cpuOf("runner")]);
    }),
  );
}

/** A contender that could not do a job has no figures of it. */
function throughputText(cell: PublishedCell | undefined): string {
  return cell === undefined ? "left out" : medianText(cell.requestsPerSecond, whole);
}

/** A row for each rate: p50 and p99 of each contender. */
export function ratesTable({ rates }: PublishedRun): string {
  const contenders = [...new Set(rates.map(({ contender }) => contender))];
  const rows = Map.groupBy(rates, ({ job, ratePerSecond }) => `${job}, ${whole(ratePerSecond)} a second`);
  return table(
    ["job, rate", ...contenders.map((name) => `${name} p50 / p99`)],
    [...rows].map(([name, cells]) =>
      [name].concat(
        contenders.map((contender) => {
          const cell = cells.find((one) => one.contender === contender);
          if (cell?.p50Ms === undefined || cell.p99Ms === undefined) return "not held";
          const held = cell.heldRounds === cell.rounds ? "" : ` (${cell.heldRounds} of ${cell.rounds})`;
          return `${medianText(cell.p50Ms, digits)} / ${medianText(cell.p99Ms, ms)}${held}`;
        }),
      ),
    ),
  );
}

interface RunPlace {
  readonly job: JobName;
  readonly concurrency: number;
  readonly contender: string;
}

export function findCell({ cells }: PublishedRun, place: RunPlace): PublishedCell | undefined {
  return cells.find((cell) => isAt(cell, place));
}

export function findRatio({ ratios }: PublishedRun, place: RunPlace, against: string): PublishedRatio | undefined {
  return ratios.find((ratio) => isAt(ratio, place) && ratio.against === against);
}

function isAt(at: RunPlace, { job, concurrency, contender }: RunPlace): boolean {
  return at.job === job && at.concurrency === concurrency && at.contender === contender;
}

function sorted<Of extends RunPlace>(all: readonly Of[], job: JobName): Of[] {
  return all.filter((one) => one.job === job).toSorted((a, b) => a.concurrency - b.concurrency);
}

export function ms(value: number): string {
  return `${digits(value)} ms`;
}
