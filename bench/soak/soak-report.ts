/**
 * The figures of a soak for people and as one line of JSON. Pure.
 *
 * @module
 */

import { lineChart } from "../charts/line-chart.ts";
import { digits, table, whole } from "../figures/report-text.ts";
import { FLAT_BYTES_PER_REQUEST, type MemoryRange, type SoakSample, type SoakVerdict } from "./soak.ts";

const MIB = 2 ** 20;
/** The first quarter of so many is more than a heap was seen to need until it has its size. */
const SETTLED_REQUESTS = 800_000;

/** The samples, and what they say. */
export function soakText(samples: readonly SoakSample[], verdicts: readonly SoakVerdict[]): string {
  const roles = rolesOf(samples);
  const rows = samples.map(({ requests, seconds, rssBytes }) => [
    whole(requests),
    digits(seconds),
    ...roles.map((role) => rangeText(rssBytes[role])),
  ]);
  const judged = verdicts.map(({ role, bytesPerRequest, earlyBytes, lateBytes, isFlat }) => [
    role,
    digits(earlyBytes / MIB),
    digits(lateBytes / MIB),
    bytesPerRequest.toFixed(1),
    isFlat ? "yes" : "no",
  ]);
  return [
    "Resident memory in MiB, lowest–highest since the row before:",
    table(["requests", "seconds", ...roles], rows),
    `Flat is what rises by at most ${FLAT_BYTES_PER_REQUEST} bytes a request over the last three quarters (least squares of the lowest):`,
    table(["", "second quarter, MiB", "last quarter, MiB", "bytes a request", "flat"], judged),
  ].join("\n\n");
}

/** What must be known to read the figures rightly. */
export function soakWarnings(samples: readonly SoakSample[]): readonly string[] {
  const sets = new Set(samples.map(({ runners }) => runners.toSorted((a, b) => a - b).join(" ")));
  const requests = samples.at(-1)?.requests ?? 0;
  return [
    ...(requests < SETTLED_REQUESTS
      ? [`heaps still grow to their size: from ${whole(SETTLED_REQUESTS)} requests on the slope means something`]
      : []),
    ...(sets.size > 1 ? ["processes of plugins ended or began in the run: their memory is not that of one"] : []),
  ];
}

/** The memory of each role over the requests. */
export function soakChart(samples: readonly SoakSample[]): string {
  return lineChart({
    title: "memory over requests",
    xLabel: "requests",
    yLabel: "resident memory, MiB",
    xScale: "linear",
    yScale: "linear",
    series: rolesOf(samples).map((role) => ({
      name: role,
      points: samples.map(({ requests, rssBytes }) => {
        const { low = 0, high = 0 } = rssBytes[role] ?? {};
        return { x: requests, y: low / MIB, low: low / MIB, high: high / MIB };
      }),
    })),
  });
}

/** The last line of a run. */
export function soakLine(samples: readonly SoakSample[], verdicts: readonly SoakVerdict[]): string {
  return JSON.stringify({
    soak: {
      requests: samples.at(-1)?.requests ?? 0,
      flat: verdicts.every(({ isFlat }) => isFlat),
      maxBytesPerRequest: FLAT_BYTES_PER_REQUEST,
      ...Object.fromEntries(
        verdicts.map(({ role, bytesPerRequest, earlyBytes, lateBytes }) => [
          role,
          {
            bytesPerRequest: Number(bytesPerRequest.toFixed(2)),
            earlyMib: Number((earlyBytes / MIB).toFixed(1)),
            lateMib: Number((lateBytes / MIB).toFixed(1)),
          },
        ]),
      ),
    },
  });
}

function rangeText(range: MemoryRange | undefined): string {
  return range === undefined ? "" : `${digits(range.low / MIB)}–${digits(range.high / MIB)}`;
}

function rolesOf(samples: readonly SoakSample[]): string[] {
  return [...new Set(samples.flatMap(({ rssBytes }) => Object.keys(rssBytes)))];
}
