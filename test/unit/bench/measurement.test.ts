import { expect, test } from "vitest";
import { type Measurement, ratioLine, summarize, throughputRatios } from "../../../bench/figures/measurement.ts";

interface Given extends Pick<Measurement, "contender" | "round" | "requestsPerSecond"> {
  readonly p99?: number;
  readonly processes?: Measurement["processes"];
}

function measured({ p99 = 4, processes = [], ...given }: Given): Measurement {
  return {
    job: "echo",
    concurrency: 64,
    requests: 1_000,
    latencyMs: { p50: 1, p90: 2, p99, p999: 5, max: 6 },
    generatorLoad: 0.2,
    processes,
    ...given,
  };
}

function processes(own: readonly number[]): Measurement["processes"] {
  return [
    ...own.map((cpuSecondsPer10k, index) => ({ role: `own-${index}`, cpuSecondsPer10k, rssBytes: 1, peakBytes: 1 })),
    { role: "mongod", cpuSecondsPer10k: 100, rssBytes: 1, peakBytes: 1 },
  ];
}

const isServer = (role: string): boolean => role === "mongod";

test("ratios pair the measurements of a round, in whatever order they were made", () => {
  const { comparisons } = summarize(
    [
      measured({ contender: "host", round: 1, requestsPerSecond: 50 }),
      measured({ contender: "base", round: 1, requestsPerSecond: 100 }),
      measured({ contender: "base", round: 3, requestsPerSecond: 1_000 }),
      measured({ contender: "base", round: 2, requestsPerSecond: 10 }),
      measured({ contender: "host", round: 2, requestsPerSecond: 6 }),
      measured({ contender: "host", round: 3, requestsPerSecond: 400 }),
    ],
    "base",
    isServer,
  );
  expect(comparisons).toHaveLength(1);
  expect(comparisons[0]).toMatchObject({ contender: "host", requestsPerSecond: { median: 0.5, min: 0.4, max: 0.6 } });
});

test("a contender's ratios are those of the rounds in which the baseline was measured, too", () => {
  const ratios = throughputRatios(
    [
      measured({ contender: "host", round: 2, requestsPerSecond: 6 }),
      measured({ contender: "host", round: 1, requestsPerSecond: 50 }),
      measured({ contender: "base", round: 1, requestsPerSecond: 100 }),
      measured({ contender: "base", round: 2, requestsPerSecond: 10 }),
      measured({ contender: "host", round: 3, requestsPerSecond: 400 }),
    ],
    "host",
    "base",
  );
  expect([...ratios]).toEqual([["echo@64", [0.5, 0.6]]]);
});

test("a cell has the median and the extremes of its rounds", () => {
  const { cells } = summarize(
    [7, 9, 8].map((p99, index) => measured({ contender: "base", round: index + 1, requestsPerSecond: 1, p99 })),
    "base",
    isServer,
  );
  expect(cells[0]?.p99Ms).toEqual({ median: 8, min: 7, max: 9 });
});

test("CPU time is compared over a contender's own processes, without the servers", () => {
  const { comparisons } = summarize(
    [
      measured({ contender: "host", round: 1, requestsPerSecond: 1, processes: processes([2, 4]) }),
      measured({ contender: "base", round: 1, requestsPerSecond: 1, processes: processes([3]) }),
    ],
    "base",
    isServer,
  );
  expect(comparisons[0]?.cpu?.median).toBe(2);
});

test("CPU time is not compared where the system does not tell it", () => {
  const { comparisons } = summarize(
    ["host", "base"].map((contender) => measured({ contender, round: 1, requestsPerSecond: 1 })),
    "base",
    isServer,
  );
  expect(comparisons[0]?.cpu).toBeUndefined();
});

test("the last line names each job and concurrency with three digits of the ratio", () => {
  const { comparisons } = summarize(
    [
      measured({ contender: "host", round: 1, requestsPerSecond: 1_234 }),
      measured({ contender: "base", round: 1, requestsPerSecond: 10_000 }),
      measured({ contender: "other", round: 1, requestsPerSecond: 1 }),
    ],
    "base",
    isServer,
  );
  expect(ratioLine(comparisons, "host")).toBe('{"ratios":{"echo@64":0.123}}');
});
