/**
 * What the host is meant to reach, as median ratios within a run, and what it did reach. Pure.
 *
 * @module
 */

import { NODE_NAME } from "../contenders/hand-written.ts";
import { EXTISM_NAME } from "../contenders/extism.ts";
import { WASMTIME_NAME } from "../contenders/wasmtime.ts";
import type { JobName } from "../jobs/jobs.ts";
import { type Comparison, compare, type Measurement } from "../figures/measurement.ts";
import { digits, table, times } from "../figures/report-text.ts";
import type { Spread } from "../figures/statistics.ts";

type Figure = "requestsPerSecond" | "p50" | "p99" | "cpu";

/** One promise. */
export interface Target {
  readonly job: JobName;
  readonly concurrency: number;
  readonly figure: Figure;
  /** The host of this run if absent. */
  readonly contender?: string;
  readonly against: string;
  readonly bound: { readonly atLeast: number } | { readonly atMost: number };
}

/** A promise and what happened to it. `measured` is absent where the run does not tell. */
export interface TargetResult {
  readonly target: Target;
  readonly measured: Spread | undefined;
  readonly met: boolean | undefined;
}

export const TARGETS: readonly Target[] = [
  throughput("kv", 16, NODE_NAME, 2.2),
  throughput("kv", 64, NODE_NAME, 4),
  throughput("kv", 256, NODE_NAME, 6),
  { job: "kv", concurrency: 16, figure: "p99", against: NODE_NAME, bound: { atMost: 0.5 } },
  { job: "kv", concurrency: 1, figure: "p50", against: NODE_NAME, bound: { atMost: 2 } },
  { job: "kv", concurrency: 64, figure: "cpu", against: NODE_NAME, bound: { atMost: 0.35 } },
  throughput("echo", 64, NODE_NAME, 0.7),
  throughput("echo", 256, NODE_NAME, 0.7),
  { job: "echo", concurrency: 1, figure: "p50", against: NODE_NAME, bound: { atMost: 2 } },
  throughput("echo", 64, WASMTIME_NAME, 2.5),
  throughput("kv", 64, WASMTIME_NAME, 3),
  throughput("echo", 64, EXTISM_NAME, 4),
  throughput("kv", 64, EXTISM_NAME, 6),
  throughput("echo", 64, "jco", 10),
  throughput("kv", 64, "jco", 10),
  { ...throughput("compute", 16, "host-1-runner", 1.7), contender: "host-2-runners" },
  { ...throughput("compute-long", 16, "host-1-runner", 1.7), contender: "host-2-runners" },
];

function throughput(job: JobName, concurrency: number, against: string, atLeast: number): Target {
  return { job, concurrency, figure: "requestsPerSecond", against, bound: { atLeast } };
}

/** @param host the contender that the targets are about */
export function judge(
  measurements: readonly Measurement[],
  host: string,
  isServer: (role: string) => boolean,
): TargetResult[] {
  return TARGETS.map((target) => {
    const { job, concurrency, contender = host, against, figure } = target;
    const comparison = compare(measurements, { job, concurrency, contender }, against, isServer);
    const measured = comparison === undefined ? undefined : figureOf(comparison, figure);
    if (measured === undefined) return { target, measured, met: undefined };
    return { target, measured, met: isMet(target, measured.median) };
  });
}

/** Does a median ratio keep the promise? */
export function isMet({ bound }: Target, median: number): boolean {
  return "atLeast" in bound ? median >= bound.atLeast : median <= bound.atMost;
}

/** The table at the end of a run: targets that it says something about. */
export function targetsText(results: readonly TargetResult[]): string {
  const known = results.filter(({ measured }) => measured !== undefined);
  const rows = known.map(({ target, measured, met }) => [
    `${target.job}@${target.concurrency}`,
    `${FIGURE_NAMES[target.figure]} against ${target.against}`,
    "atLeast" in target.bound ? `≥ ${times(target.bound.atLeast)}` : `≤ ${times(target.bound.atMost)}`,
    measured === undefined ? "" : `${times(measured.median)} (${digits(measured.min)}–${digits(measured.max)})`,
    met === true ? "yes" : "no",
  ]);
  const unknown = results.length - known.length;
  const note = unknown === 0 ? "" : `\n\n${unknown} more targets need what this run did not measure.`;
  return known.length === 0 ? note.trim() : `${table(["", "", "target", "measured", "met"], rows)}${note}`;
}

export const FIGURE_NAMES: Readonly<Record<Figure, string>> = {
  requestsPerSecond: "requests/s",
  p50: "p50",
  p99: "p99",
  cpu: "own CPU a request",
};

function figureOf(comparison: Comparison, figure: Figure): Spread | undefined {
  return comparison[figure];
}
