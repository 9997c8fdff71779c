/**
 * Writes the figures of a run into `figures.json`, in place of those that its part had before.
 *
 * @module
 */

import { writeFile } from "node:fs/promises";
import type { Comparison, RateCell, Summary } from "../figures/measurement.ts";
import type { Spread } from "../figures/statistics.ts";
import {
  type Figure,
  type Figures,
  FIGURES_FILE,
  type PublishedRatio,
  type PublishedRun,
  type PublishedRunName,
  readFigures,
} from "./figures.ts";

const MIB = 2 ** 20;
const DIGITS = 4;

/** What `run` has measured. */
export interface MeasuredRun {
  readonly machine: string;
  readonly summary: Summary;
  /** What the summary compares with. */
  readonly baseline: string;
  /** Comparisons with others. */
  readonly others: readonly { readonly against: string; readonly comparison: Comparison }[];
  readonly rateCells: readonly RateCell[];
}

/** Replaces one part. The pages are out of date then, until `npm run generate`. */
export async function publish<Name extends keyof Figures>(
  name: Name,
  part: Omit<Figures[Name], "command">,
  path: string = FIGURES_FILE,
): Promise<void> {
  const published = { ...(await readFigures(path)), [name]: { command: commandLine(process.argv), ...part } };
  await writeFile(path, `${JSON.stringify(published, undefined, 2)}\n`);
  console.error(`Published as ${name}. Now run: npm run generate`);
}

/** Replaces a part that comes from `run`. */
export async function publishRun(name: PublishedRunName, measured: MeasuredRun, path?: string): Promise<void> {
  await publish(name, publishedRun(measured), path);
}

/** The median, the smallest and the largest value, in four digits. */
export function figureOf({ median, min, max }: Spread): Figure {
  return { median: short(median), min: short(min), max: short(max) };
}

/** In four digits. */
export function short(value: number): number {
  return Number(value.toPrecision(DIGITS));
}

/** The command that was typed, without what publishes. @param argv of Node: its executable and the program come first */
export function commandLine(argv: readonly string[]): string {
  const args = argv.slice(2);
  const isNamed = args[0] === "run";
  const kept = args.filter(
    (arg, index) => !arg.startsWith("--publish") && !(isNamed && args[index - 1] === "--publish"),
  );
  return ["npm run bench --", ...kept].join(" ");
}

/** The part that `run` publishes. */
export function publishedRun(measured: MeasuredRun): Omit<PublishedRun, "command"> {
  const { machine, summary, baseline, others, rateCells } = measured;
  return {
    machine,
    cells: summary.cells.map(({ job, concurrency, contender, ...cell }) => ({
      job,
      concurrency,
      contender,
      requestsPerSecond: figureOf(cell.requestsPerSecond),
      p50Ms: figureOf(cell.p50Ms),
      p99Ms: figureOf(cell.p99Ms),
      generatorLoad: short(cell.generatorLoad.median),
      processes: cell.processes.map(({ role, cpuSecondsPer10k, rssBytes }) => ({
        role,
        cpuSecondsPer10k: short(cpuSecondsPer10k.median),
        mib: short(rssBytes.max / MIB),
      })),
    })),
    ratios: [
      ...summary.comparisons.map((comparison) => ratioOf(comparison, baseline)),
      ...others.map(({ comparison, against }) => ratioOf(comparison, against)),
    ],
    rates: rateCells.map(rateOf),
  };
}

function ratioOf(comparison: Comparison, against: string): PublishedRatio {
  const { job, concurrency, contender, requestsPerSecond, p50, p99, cpu } = comparison;
  return {
    job,
    concurrency,
    contender,
    against,
    requestsPerSecond: figureOf(requestsPerSecond),
    p50: figureOf(p50),
    p99: figureOf(p99),
    ...(cpu !== undefined && { cpu: figureOf(cpu) }),
  };
}

function rateOf({
  job,
  contender,
  ratePerSecond,
  heldRounds,
  rounds,
  latency,
}: RateCell): PublishedRun["rates"][number] {
  return {
    job,
    contender,
    ratePerSecond,
    heldRounds,
    rounds,
    ...(latency !== undefined && { p50Ms: figureOf(latency.p50Ms), p99Ms: figureOf(latency.p99Ms) }),
  };
}
