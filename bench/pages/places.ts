/**
 * The generated places of pages that show figures: their names, and what belongs there. Pure.
 *
 * @module
 */

import { NODE_NAME } from "../contenders/hand-written.ts";
import { digits, times, whole } from "../figures/report-text.ts";
import type { Figures } from "../published/figures.ts";
import { plain } from "./figure-text.ts";
import { headlineText } from "./headline.ts";
import { fairnessTable, fleetTable, growthTable, scalingTable, soakTable, swapTable } from "./host-tables.ts";
import { promisesTable } from "./promises.ts";
import { PUBLISHED_HOST } from "./published-host.ts";
import {
  costTable,
  findCell,
  findRatio,
  hostsTable,
  jobsTable,
  ratesTable,
  ratioTable,
  speedTable,
} from "./run-tables.ts";

/** Name → text, in Markdown. */
export function figurePlaces(figures: Figures): Map<string, string> {
  const { basic, hosts, jobs, languages, rates } = figures;
  return new Map([
    ["headline", headlineText(figures)],
    ["kv-speed", speedTable(basic, "kv")],
    ["kv-ratios", ratioTable(basic, "kv", NODE_NAME)],
    ["kv-costs", costTable(basic, "kv")],
    ["echo-speed", speedTable(basic, "echo")],
    ["echo-ratios", ratioTable(basic, "echo", NODE_NAME)],
    ["echo-costs", costTable(basic, "echo")],
    ["hosts-echo", hostsTable(hosts, "echo", NODE_NAME)],
    ["hosts-kv", hostsTable(hosts, "kv", NODE_NAME)],
    ["jobs", jobsTable(jobs, PUBLISHED_HOST, NODE_NAME)],
    ["languages", jobsTable(languages, PUBLISHED_HOST, NODE_NAME)],
    ["rates", ratesTable(rates)],
    ["promises", promisesTable(figures)],
    ["scaling", scalingTable(figures.scaling)],
    ["growth", growthTable(figures.growth)],
    ["soak", soakTable(figures.soak)],
    ["swap", swapTable(figures.swap)],
    ["fairness", fairnessTable(figures.fairness)],
    ["fleet", fleetTable(figures.fleet)],
    ["cliffs", cliffsText(figures.growth.cliffs)],
    ["soak-requests", whole(figures.soak.requests)],
    ["soak-seconds", whole(figures.soak.seconds)],
    ["idle-plugin-kib", whole(figures.fleet.idlePluginKib)],
    ["kv-64-throughput", throughputText(figures, "kv", 64)],
    ["kv-256-throughput", throughputText(figures, "kv", 256)],
    ["echo-256-ratio", ratioText(figures, "echo", 256)],
    ...(["kv", "echo"] as const).flatMap((job) => costPlaces(figures, job)),
    ...origins(figures),
  ]);
}

/** Where each part comes from: its command and its machine. */
function origins(figures: Figures): [string, string][] {
  return Object.entries(figures).flatMap(([name, { command, machine }]): [string, string][] => [
    [`${name}-command`, `\`${command}\``],
    [`${name}-machine`, machine],
  ]);
}

function cliffsText(cliffs: readonly string[]): string {
  return cliffs.length === 0 ? "no cliff in any of the curves" : cliffs.join("; ");
}

const MICROS_OF_10K = 100;

/** CPU time of a request by process, in µs: `kv-64-node-mongod-cpu`. */
function costPlaces({ basic }: Figures, job: "kv" | "echo"): [string, string][] {
  return basic.cells
    .filter((cell) => cell.job === job)
    .flatMap(({ concurrency, contender, processes = [] }) =>
      processes.map(({ role, cpuSecondsPer10k }): [string, string] => [
        `${job}-${concurrency}-${contender}-${role}-cpu`,
        digitsOfMicros(cpuSecondsPer10k * MICROS_OF_10K),
      ]),
    );
}

function digitsOfMicros(micros: number): string {
  return micros >= 10 ? whole(micros) : plain(digits(micros));
}

function throughputText({ basic }: Figures, job: "kv" | "echo", concurrency: number): string {
  const cell = findCell(basic, { job, concurrency, contender: PUBLISHED_HOST });
  if (cell === undefined) throw new RangeError(`bench/published/figures.json has no ${job} at ${concurrency}`);
  const { median, max } = cell.requestsPerSecond;
  return max === undefined ? whole(median) : `${whole(median)} (${whole(max)} at best)`;
}

function ratioText({ basic }: Figures, job: "kv" | "echo", concurrency: number): string {
  const ratio = findRatio(basic, { job, concurrency, contender: PUBLISHED_HOST }, NODE_NAME);
  if (ratio === undefined)
    throw new RangeError(`bench/published/figures.json has no ratio of ${job} at ${concurrency}`);
  return times(ratio.requestsPerSecond.median);
}
