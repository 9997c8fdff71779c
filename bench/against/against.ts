/**
 * This build beside another one, round by round: is it slower, and what does a request cost? What a few rounds may have
 * made by luck proves nothing. Pure.
 *
 * @module
 */

import type { Measurement } from "../figures/measurement.ts";
import { table, times } from "../figures/report-text.ts";
import { median, medianAtMost } from "../figures/statistics.ts";

/** How sure it must be; it is asked once in a run. */
const CONFIDENCE = 0.995;

/** One place, as in `kv@64`: this build's figures divided by the other's. */
export interface BuildRatios {
  readonly place: string;
  readonly rounds: number;
  readonly throughput: BoundedRatio;
  /** CPU time of a request in all processes of a build, and in its host alone; absent where the system does not tell. */
  readonly ownCpu: BoundedRatio | undefined;
  readonly hostCpu: BoundedRatio | undefined;
}

/** The median of the rounds, and what the median of all rounds that there could be is at most, in all likelihood. */
export interface BoundedRatio {
  readonly median: number;
  readonly atMost: number;
}

/** What is compared, and how. */
export interface Builds {
  readonly own: string;
  readonly other: string;
  readonly isServer: (role: string) => boolean;
  /** The role of the host's main process. */
  readonly hostRole: string;
}

/** Compares two builds in the rounds in which both were measured. */
export function compareBuilds(measurements: readonly Measurement[], builds: Builds): BuildRatios[] {
  const places = Map.groupBy(measurements, ({ job, concurrency }) => `${job}@${concurrency}`);
  return [...places].flatMap(([place, all]): BuildRatios[] => {
    const pairs = pairsOf(all, builds);
    if (pairs.length === 0) return [];
    const ratio = (figure: (measurement: Measurement) => number): BoundedRatio =>
      bounded(pairs.map(([own, other]) => figure(own) / figure(other)));
    const cpu = (isCounted: (role: string) => boolean): BoundedRatio | undefined => {
      const ratios = ratio((measurement) => cpuOf(measurement, isCounted));
      return ratios.median > 0 && Number.isFinite(ratios.median) ? ratios : undefined;
    };
    return [
      {
        place,
        rounds: pairs.length,
        throughput: ratio(({ requestsPerSecond }) => requestsPerSecond),
        ownCpu: cpu((role) => !builds.isServer(role)),
        hostCpu: cpu((role) => role === builds.hostRole),
      },
    ];
  });
}

/** Is this build slower, as surely as the rounds can tell? */
export function isSlower({ throughput }: BuildRatios): boolean {
  return throughput.atMost < 1;
}

export function againstText(compared: readonly BuildRatios[]): string {
  const cells = (ratio: BoundedRatio | undefined): string[] =>
    ratio === undefined
      ? ["–", "–"]
      : [times(ratio.median), Number.isFinite(ratio.atMost) ? times(ratio.atMost) : "anything"];
  return table(
    ["", "rounds", "requests/s", "it may be", "own CPU", "it may be", "host's CPU", "it may be", "slower"],
    compared.map((ratios) => [
      ratios.place,
      String(ratios.rounds),
      ...cells(ratios.throughput),
      ...cells(ratios.ownCpu),
      ...cells(ratios.hostCpu),
      isSlower(ratios) ? "yes" : "not shown to be",
    ]),
  );
}

function pairsOf(
  measurements: readonly Measurement[],
  { own, other }: Builds,
): (readonly [Measurement, Measurement])[] {
  const others = new Map(
    measurements.filter(({ contender }) => contender === other).map((measurement) => [measurement.round, measurement]),
  );
  return measurements
    .filter(({ contender }) => contender === own)
    .flatMap((measurement) => {
      const pair = others.get(measurement.round);
      return pair === undefined ? [] : [[measurement, pair] as const];
    });
}

function bounded(ratios: readonly number[]): BoundedRatio {
  return { median: median(ratios), atMost: medianAtMost(ratios, CONFIDENCE) };
}

function cpuOf({ processes }: Measurement, isCounted: (role: string) => boolean): number {
  return processes.reduce((sum, { role, cpuSecondsPer10k }) => sum + (isCounted(role) ? cpuSecondsPer10k : 0), 0);
}
