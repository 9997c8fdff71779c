/**
 * What the measurements say about growth: each point over the rounds, and the cliffs of each line. Pure.
 *
 * @module
 */

import type { JobName } from "../jobs/jobs.ts";
import type { Latencies } from "../jobs/load-spec.ts";
import type { ProcessCost } from "../figures/measurement.ts";
import { type Spread, spreadOf } from "../figures/statistics.ts";
import { type Cliff, CLIFF_FACTOR, findCliffs } from "./cliff.ts";
import { type CurveName, CURVES, type Expectation } from "./curves.ts";

/** A point of a curve. */
export interface Place {
  readonly curve: CurveName;
  readonly job: JobName;
  readonly x: number;
}

/** One point in one round. */
export interface GrowthMeasurement extends Place {
  readonly round: number;
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly latencyMs: Latencies;
  /** Share of one core that the load generator used. */
  readonly generatorLoad: number;
  /** Of the replicas alone, by role; empty where the system does not tell. */
  readonly processes: readonly ProcessCost[];
}

/** One point over the rounds. */
export interface GrowthCell extends Place {
  readonly requestsPerSecond: Spread;
  readonly p50Ms: Spread;
  readonly p99Ms: Spread;
  readonly generatorLoad: Spread;
  /** CPU time of hosts and runners for a request. */
  readonly cpuMicros: Spread | undefined;
  /** Resident memory at its highest, by role: all hosts together, all runners together. */
  readonly peakBytes: Readonly<Record<string, Spread>>;
}

/** A point that answered with errors: worse than a cliff. */
export interface RefusedPlace extends Place {
  readonly reason: string;
}

/** What is held against a cliff. */
export type CostName = "time" | "CPU time" | "memory";

/** A cliff and where it is. */
export interface NamedCliff extends Cliff {
  readonly curve: CurveName;
  readonly job: JobName;
  readonly cost: CostName;
}

const MICROS = 1e6;
const REQUESTS_OF_COST = 10_000;

export function growthOf(measurements: readonly GrowthMeasurement[]): GrowthCell[] {
  const series = Map.groupBy(measurements, ({ curve, job, x }) => `${curve} ${job} ${x}`);
  return [...series.values()].flatMap((rounds) => {
    const [first] = rounds;
    return first === undefined ? [] : [cellOf(rounds, { curve: first.curve, job: first.job, x: first.x })];
  });
}

/** The cliffs of all lines, in the order of the curves. */
export function cliffsOf(cells: readonly GrowthCell[], maxFactor: number = CLIFF_FACTOR): NamedCliff[] {
  const lines = Map.groupBy(cells, ({ curve, job }) => `${curve} ${job}`);
  return [...lines.values()].flatMap((line) => {
    const [first] = line;
    if (first === undefined) return [];
    const { curve, job } = first;
    const { expectation } = CURVES[curve];
    return COSTS.flatMap(({ name, costOf, follows }) => {
      const points = line.flatMap((cell) => {
        const cost = costOf(cell);
        return cost === undefined || cost === 0 ? [] : [{ x: cell.x, cost }];
      });
      return findCliffs(points, follows ?? expectation, maxFactor).map(({ from, to, factor }): NamedCliff => ({
        curve,
        job,
        cost: name,
        from,
        to,
        factor,
      }));
    });
  });
}

interface Cost {
  readonly name: CostName;
  readonly costOf: (cell: GrowthCell) => number | undefined;
  /** Whatever the curve's own costs follow. */
  readonly follows?: Expectation;
}

const COSTS: readonly Cost[] = [
  // With so many in flight, this and not the latency is what a request takes.
  { name: "time", costOf: ({ requestsPerSecond }) => MICROS / requestsPerSecond.median },
  { name: "CPU time", costOf: ({ cpuMicros }) => cpuMicros?.median },
  { name: "memory", costOf: peakOf, follows: "linear" },
];

/** All processes together; `undefined` where the system does not tell. */
export function peakOf({ peakBytes }: GrowthCell): number | undefined {
  const peaks = Object.values(peakBytes);
  return peaks.length === 0 ? undefined : peaks.reduce((sum, { median }) => sum + median, 0);
}

function cellOf(rounds: readonly GrowthMeasurement[], place: Place): GrowthCell {
  const over = (figure: (measurement: GrowthMeasurement) => number): Spread => spreadOf(rounds.map(figure));
  const byRole = Map.groupBy(
    rounds.flatMap(({ processes }) => processes),
    ({ role }) => role,
  );
  const hasCpu = rounds.every(({ processes }) => processes.length > 0);
  return {
    ...place,
    requestsPerSecond: over(({ requestsPerSecond }) => requestsPerSecond),
    p50Ms: over(({ latencyMs }) => latencyMs.p50),
    p99Ms: over(({ latencyMs }) => latencyMs.p99),
    generatorLoad: over(({ generatorLoad }) => generatorLoad),
    cpuMicros: hasCpu ? over(cpuMicrosOf) : undefined,
    peakBytes: Object.fromEntries(
      [...byRole].map(([role, costs]) => [role, spreadOf(costs.map(({ peakBytes }) => peakBytes))]),
    ),
  };
}

function cpuMicrosOf({ processes }: GrowthMeasurement): number {
  const seconds = processes.reduce((sum, { cpuSecondsPer10k }) => sum + cpuSecondsPer10k, 0);
  return (seconds / REQUESTS_OF_COST) * MICROS;
}
