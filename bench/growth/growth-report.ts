/**
 * The figures of growth for people and as one line of JSON. Pure.
 *
 * @module
 */

import { BUSY_GENERATOR } from "../figures/measurement.ts";
import { digits, percent, spread, table, times, whole } from "../figures/report-text.ts";
import { REPLICA_ROLES } from "../replicas/replica.ts";
import { CLIFF_FACTOR } from "./cliff.ts";
import { CURVE_NAMES, CURVES, type Curve, type CurveName } from "./curves.ts";
import { type GrowthCell, type NamedCliff, peakOf, type Place, type RefusedPlace } from "./growth.ts";

const MIB = 2 ** 20;

/** What a run says about growth. */
export interface Growth {
  readonly cells: readonly GrowthCell[];
  readonly cliffs: readonly NamedCliff[];
  readonly refused: readonly RefusedPlace[];
}

/** Tables of all curves, each with its verdict. */
export function growthText({ cells, cliffs, refused }: Growth): string {
  const curves = CURVE_NAMES.filter((name) => [...cells, ...refused].some(({ curve }) => curve === name));
  return curves
    .map((name) => {
      const isOwn = ({ curve }: Pick<Place, "curve">): boolean => curve === name;
      const own = cells.filter(isOwn);
      return [
        `## ${name}: ${CURVES[name].summary}`,
        curveTable(CURVES[name], own),
        verdict(name, cliffs.filter(isOwn), refused.filter(isOwn)),
      ].join("\n\n");
    })
    .join("\n\n");
}

/** What must be known to read the figures rightly. */
export function growthWarnings(cells: readonly GrowthCell[]): readonly string[] {
  return cells
    .filter(({ generatorLoad }) => generatorLoad.median > BUSY_GENERATOR)
    .map(
      ({ curve, job, x, generatorLoad }) =>
        `${curve} ${job} at ${x}: the load generator used ${percent(generatorLoad.median)} of a core and may be the bottleneck`,
    );
}

/** The last line of a run. */
export function growthLine({ cells, cliffs, refused }: Growth): string {
  const lines = Map.groupBy(cells, ({ curve, job }) => `${curve} ${job}`);
  const curves = [...lines].map(([name, own]) => [
    name,
    own.toSorted((a, b) => a.x - b.x).map((cell) => pointOf(cell)),
  ]);
  return JSON.stringify({
    growth: {
      factor: CLIFF_FACTOR,
      cliffs: cliffs.map(({ factor, ...cliff }) => ({ ...cliff, factor: short(factor) })),
      refused: refused.map(({ curve, job, x }) => ({ curve, job, x })),
      curves: Object.fromEntries(curves),
    },
  });
}

function curveTable(curve: Curve, cells: readonly GrowthCell[]): string {
  const rows = cells
    .toSorted((a, b) => a.x - b.x || a.job.localeCompare(b.job))
    .map((cell) => [
      digits(cell.x / curve.unit),
      cell.job,
      spread(cell.requestsPerSecond, whole),
      spread(cell.p50Ms, digits),
      spread(cell.p99Ms, digits),
      cell.cpuMicros === undefined ? "–" : spread(cell.cpuMicros, digits),
      peakText(cell, REPLICA_ROLES.host),
      peakText(cell, REPLICA_ROLES.runner),
      percent(cell.generatorLoad.median),
    ]);
  const memory = ["host, peak MiB", "runner, peak MiB"];
  return table([curve.axis, "", "requests/s", "p50 ms", "p99 ms", "CPU µs a request", ...memory, "generator"], rows);
}

function peakText({ peakBytes }: GrowthCell, role: string): string {
  const peak = peakBytes[role];
  return peak === undefined ? "–" : whole(peak.median / MIB);
}

function verdict(curve: CurveName, cliffs: readonly NamedCliff[], refused: readonly RefusedPlace[]): string {
  const { unit } = CURVES[curve];
  const lines = [
    ...cliffs.map(
      ({ job, cost, from, to, factor }) =>
        `CLIFF: ${job}, ${cost}: from ${digits(from / unit)} to ${digits(to / unit)} by ${times(factor)} beyond what is expected.`,
    ),
    ...refused.map(({ job, x, reason }) => `REFUSED: ${job} at ${digits(x / unit)}: ${reason}`),
  ];
  if (lines.length > 0) return lines.join("\n");
  return `No cliff: in no step does a request's time or CPU time, or the memory, grow by more than ${times(CLIFF_FACTOR)} beyond what is expected.`;
}

function pointOf(cell: GrowthCell): Record<string, number> {
  const peak = peakOf(cell);
  return {
    x: cell.x,
    requestsPerSecond: short(cell.requestsPerSecond.median),
    p50Ms: short(cell.p50Ms.median),
    p99Ms: short(cell.p99Ms.median),
    ...(cell.cpuMicros !== undefined && { cpuMicros: short(cell.cpuMicros.median) }),
    ...(peak !== undefined && { peakMib: short(peak / MIB) }),
  };
}

function short(value: number): number {
  return Number(value.toPrecision(3));
}
