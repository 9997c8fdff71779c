/**
 * What the host is meant to reach, and whether the published figures reach it. Pure.
 *
 * @module
 */

import { FIGURE_NAMES, isMet, type Target, TARGETS } from "../comparison/targets.ts";
import { PROMISED_P99_RATIO } from "../fairness/fairness.ts";
import { digits, table, times, whole } from "../figures/report-text.ts";
import type { Figure, Figures } from "../published/figures.ts";
import { FLAT_BYTES_PER_REQUEST } from "../soak/soak.ts";
import { PROMISED_SWAP_RATIO } from "../swap/swap.ts";
import { plain, ranged } from "./figure-text.ts";
import { PUBLISHED_HOST } from "./published-host.ts";

/** One promise, and whether the figures keep it. */
interface PromiseRow {
  readonly place: string;
  readonly what: string;
  readonly promised: string;
  readonly measured: string;
  readonly isKept: boolean;
}

/** Promises that there are figures of. */
export function promisesTable(figures: Figures): string {
  const promises = [
    ...TARGETS.flatMap((target) => targetPromise(target, figures)),
    ...soakPromises(figures),
    ...ratioPromises(figures),
    ...fleetPromises(figures),
  ];
  return table(
    ["where", "what", "target", "measured", "met"],
    promises.map(({ place, what, promised, measured, isKept }) => [
      place,
      what,
      promised,
      measured,
      isKept ? "yes" : "no",
    ]),
  );
}

function targetPromise(target: Target, figures: Figures): PromiseRow[] {
  const measured = measuredOf(target, figures);
  if (measured === undefined) return [];
  const { job, concurrency, figure, against, bound } = target;
  return [
    {
      place: `\`${job}\` at ${concurrency}`,
      what: `${FIGURE_NAMES[figure]} against \`${against}\``,
      promised: plain("atLeast" in bound ? `≥ ${times(bound.atLeast)}` : `≤ ${times(bound.atMost)}`),
      measured: times(measured.median),
      isKept: isMet(target, measured.median),
    },
  ];
}

/** In the first part that has it. */
function measuredOf(
  { job, concurrency, figure, against, contender = PUBLISHED_HOST }: Target,
  figures: Figures,
): Figure | undefined {
  const { basic, hosts, jobs, languages } = figures;
  for (const { ratios } of [basic, hosts, jobs, languages]) {
    const found = ratios.find(
      (ratio) =>
        ratio.job === job &&
        ratio.concurrency === concurrency &&
        ratio.contender === contender &&
        ratio.against === against,
    );
    if (found?.[figure] !== undefined) return found[figure];
  }
  const isScaling = contender === "host-2-runners" && against === "host-1-runner" && figure === "requestsPerSecond";
  return isScaling
    ? figures.scaling.rows.find((row) => row.job === job && row.concurrency === concurrency)?.ratio
    : undefined;
}

function soakPromises({ soak: { requests, roles } }: Figures): PromiseRow[] {
  return roles.map(({ role, bytesPerRequest }) => ({
    place: `${whole(requests)} requests`,
    what: `memory of the ${role}, a request`,
    promised: `≤ ${FLAT_BYTES_PER_REQUEST} bytes`,
    measured: plain(`${digitsOf(bytesPerRequest)} bytes`),
    isKept: bytesPerRequest <= FLAT_BYTES_PER_REQUEST,
  }));
}

/** Memory that shrinks has a negative slope. */
function digitsOf(value: number): string {
  return value < 0 ? `−${digits(-value)}` : digits(value);
}

function ratioPromises({ swap, fairness }: Figures): PromiseRow[] {
  const swapRatios = swap.rows.map(({ ratio }) => ratio.max ?? ratio.median);
  const fairnessRatios = fairness.rows.map(({ ratio }) => ratio.median);
  const isMissed = fairnessRatios.filter((ratio) => ratio > PROMISED_P99_RATIO).length;
  return [
    {
      place: "a component replaced under load",
      what: "p99 against the one without, at most",
      promised: `≤ ${PROMISED_SWAP_RATIO}×`,
      measured: ranged(swapRatios, times),
      isKept: Math.max(...swapRatios) <= PROMISED_SWAP_RATIO && swap.rows.every(({ failed }) => failed === 0),
    },
    {
      place: "a plugin beside a hostile one",
      what: "p99 against the quiet one",
      promised: `≤ ${PROMISED_P99_RATIO}×`,
      measured: `${ranged(fairnessRatios, times)}; above the target in ${isMissed} of ${fairnessRatios.length}`,
      isKept: isMissed === 0,
    },
  ];
}

const READY_MS = new Map([
  [100, 1_500],
  [10_000, 20_000],
]);
const MANY_PLUGINS = 10_000;
const MAX_HOST_MIB = 477;
const MAX_IDLE_PLUGIN_KIB = 98;
const MAX_COLD_MS = 150;
const MAX_RUNNER_MIB = 57;

function fleetPromises({ fleet: { rows, idlePluginKib } }: Figures): PromiseRow[] {
  return [
    ...rows.flatMap((row) => sizePromises(row)),
    bounded("an unused plugin", "memory of the host", idlePluginKib, MAX_IDLE_PLUGIN_KIB, "KiB"),
  ];
}

function sizePromises(row: Figures["fleet"]["rows"][number]): PromiseRow[] {
  const { plugins, readyMs, hostMib, firstRequestMs, warmMs, runnerMib } = row;
  const place = `a replica of ${whole(plugins)} plugins`;
  const promises: PromiseRow[] = [];
  const readyWithin = READY_MS.get(plugins);
  if (readyMs !== undefined && readyWithin !== undefined) {
    promises.push(bounded(place, "ready after Node's own start", readyMs / 1_000, readyWithin / 1_000, "s"));
  }
  if (hostMib !== undefined && plugins === MANY_PLUGINS) {
    promises.push(bounded(place, "memory of the host", hostMib, MAX_HOST_MIB, "MiB"));
  }
  if (plugins !== 1) return promises;
  if (firstRequestMs !== undefined && warmMs !== undefined) {
    const coldMs = firstRequestMs - warmMs;
    promises.push(bounded("a cold plugin in C", "first request beyond a warm one", coldMs, MAX_COLD_MS, "ms"));
  }
  if (runnerMib !== undefined) {
    promises.push(bounded("a runner of a small plugin", "resident memory", runnerMib, MAX_RUNNER_MIB, "MiB"));
  }
  return promises;
}

function bounded(place: string, what: string, value: number, atMost: number, unit: string): PromiseRow {
  return {
    place,
    what,
    promised: plain(`≤ ${digits(atMost)} ${unit}`),
    measured: plain(`${digits(value)} ${unit}`),
    isKept: value <= atMost,
  };
}
