/**
 * What was measured, and what follows from it. Pure.
 *
 * @module
 */

import type { JobName } from "../jobs/jobs.ts";
import type { Latencies } from "../jobs/load-spec.ts";
import { ratioOf, type Spread, spreadOf } from "./statistics.ts";

/** What the processes of one role used during a measurement. */
export interface ProcessCost {
  readonly role: string;
  readonly cpuSecondsPer10k: number;
  /** At the end of the measurement. */
  readonly rssBytes: number;
  /** The most during the measurement. */
  readonly peakBytes: number;
}

/** One measurement: one contender, one job, one concurrency, one round. */
export interface Measurement {
  readonly job: JobName;
  readonly contender: string;
  readonly concurrency: number;
  readonly round: number;
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly latencyMs: Latencies;
  /** Share of one core that the load generator used. */
  readonly generatorLoad: number;
  /** Empty where the system does not tell. */
  readonly processes: readonly ProcessCost[];
}

/** The processes of one role over the rounds. */
export interface ProcessSummary {
  readonly role: string;
  readonly cpuSecondsPer10k: Spread;
  readonly rssBytes: Spread;
}

/** One contender at one job and concurrency, over the rounds. */
export interface Cell {
  readonly job: JobName;
  readonly concurrency: number;
  readonly contender: string;
  readonly requestsPerSecond: Spread;
  readonly p50Ms: Spread;
  readonly p99Ms: Spread;
  readonly generatorLoad: Spread;
  readonly processes: readonly ProcessSummary[];
}

/** One contender at one rate, over the rounds. */
export interface RateCell {
  readonly job: JobName;
  readonly contender: string;
  readonly fraction: number;
  readonly ratePerSecond: number;
  /** Rounds in which it kept up, of all. */
  readonly heldRounds: number;
  readonly rounds: number;
  /** Of the rounds in which it kept up. */
  readonly latency:
    | { readonly p50Ms: Spread; readonly p99Ms: Spread; readonly p999Ms: Spread; readonly sendLagMs: Spread }
    | undefined;
}

/** A contender's figures divided by the baseline's, round by round. */
export interface Comparison {
  readonly job: JobName;
  readonly concurrency: number;
  readonly contender: string;
  readonly requestsPerSecond: Spread;
  readonly p50: Spread;
  readonly p99: Spread;
  /** CPU time of the contender's own processes for a request, without the servers. */
  readonly cpu: Spread | undefined;
}

/** Everything that follows from the measurements. */
export interface Summary {
  readonly cells: readonly Cell[];
  readonly comparisons: readonly Comparison[];
}

/** A generator that is busier than this on one core may bound what it measures. */
export const BUSY_GENERATOR = 0.8;

/** @param isServer tells the roles that all contenders share */
export function summarize(
  measurements: readonly Measurement[],
  baseline: string,
  isServer: (role: string) => boolean,
): Summary {
  const series = Map.groupBy(measurements, ({ job, concurrency, contender }) => `${job}@${concurrency} ${contender}`);
  const cells: Cell[] = [];
  const comparisons: Comparison[] = [];
  for (const rounds of series.values()) {
    const [first] = rounds;
    if (first === undefined) continue;
    const { job, concurrency, contender } = first;
    cells.push(cellOf(rounds, { job, concurrency, contender }));
    const others = series.get(`${job}@${concurrency} ${baseline}`);
    if (contender === baseline || others === undefined) continue;
    comparisons.push(comparisonOf(inOrder(rounds), inOrder(others), { job, concurrency, contender }, isServer));
  }
  return { cells, comparisons };
}

/** The last line of a run: a contender's throughput as a ratio to the baseline's, by job and concurrency. */
export function ratioLine(comparisons: readonly Comparison[], contender: string): string {
  const ratios = comparisons
    .filter((comparison) => comparison.contender === contender)
    .map(({ job, concurrency, requestsPerSecond }) => [`${job}@${concurrency}`, round(requestsPerSecond.median)]);
  return JSON.stringify({ ratios: Object.fromEntries(ratios) });
}

/** A contender's figures beside any other's; `undefined` where one of them was not measured. */
export function compare(
  measurements: readonly Measurement[],
  place: Place,
  baseline: string,
  isServer: (role: string) => boolean,
): Comparison | undefined {
  const here = measurements.filter(({ job, concurrency }) => job === place.job && concurrency === place.concurrency);
  const own = here.filter(({ contender }) => contender === place.contender);
  const others = here.filter(({ contender }) => contender === baseline);
  if (own.length === 0 || own.length !== others.length) return undefined;
  return comparisonOf(inOrder(own), inOrder(others), place, isServer);
}

/**
 * A contender's throughput divided by the baseline's in every round in which both were measured, by job and concurrency
 * as in `kv@64`.
 */
export function throughputRatios(
  measurements: readonly Measurement[],
  contender: string,
  baseline: string,
): ReadonlyMap<string, readonly number[]> {
  const byPlace = new Map<string, number[]>();
  for (const own of inOrder(measurements.filter((measurement) => measurement.contender === contender))) {
    const { job, concurrency, round, requestsPerSecond } = own;
    const other = measurements.find(
      (one) => one.contender === baseline && one.job === job && one.concurrency === concurrency && one.round === round,
    );
    if (other === undefined) continue;
    const place = `${job}@${concurrency}`;
    byPlace.set(place, [...(byPlace.get(place) ?? []), requestsPerSecond / other.requestsPerSecond]);
  }
  return byPlace;
}

type Place = Pick<Cell, "job" | "concurrency" | "contender">;

function cellOf(rounds: readonly Measurement[], place: Place): Cell {
  const over = (figure: (measurement: Measurement) => number): Spread => spreadOf(rounds.map(figure));
  const byRole = Map.groupBy(
    rounds.flatMap(({ processes }) => processes),
    ({ role }) => role,
  );
  return {
    ...place,
    requestsPerSecond: over(({ requestsPerSecond }) => requestsPerSecond),
    p50Ms: over(({ latencyMs }) => latencyMs.p50),
    p99Ms: over(({ latencyMs }) => latencyMs.p99),
    generatorLoad: over(({ generatorLoad }) => generatorLoad),
    processes: [...byRole].map(([role, costs]) => ({
      role,
      cpuSecondsPer10k: spreadOf(costs.map(({ cpuSecondsPer10k }) => cpuSecondsPer10k)),
      rssBytes: spreadOf(costs.map(({ rssBytes }) => rssBytes)),
    })),
  };
}

function comparisonOf(
  rounds: readonly Measurement[],
  baseline: readonly Measurement[],
  place: Place,
  isServer: (role: string) => boolean,
): Comparison {
  const ratio = (figure: (measurement: Measurement) => number): Spread =>
    ratioOf(rounds.map(figure), baseline.map(figure));
  const ownCpu = ({ processes }: Measurement): number =>
    processes.reduce((sum, { role, cpuSecondsPer10k }) => sum + (isServer(role) ? 0 : cpuSecondsPer10k), 0);
  const hasCpu = [...rounds, ...baseline].every((measurement) => ownCpu(measurement) > 0);
  return {
    ...place,
    requestsPerSecond: ratio(({ requestsPerSecond }) => requestsPerSecond),
    p50: ratio(({ latencyMs }) => latencyMs.p50),
    p99: ratio(({ latencyMs }) => latencyMs.p99),
    cpu: hasCpu ? ratio(ownCpu) : undefined,
  };
}

function inOrder(rounds: readonly Measurement[]): readonly Measurement[] {
  return rounds.toSorted((a, b) => a.round - b.round);
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
