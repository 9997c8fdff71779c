import { expect, test } from "vitest";
import { againstText, type BuildRatios, compareBuilds, isSlower } from "../../../bench/against/against.ts";
import type { Measurement } from "../../../bench/figures/measurement.ts";

interface Given {
  readonly contender: "own" | "other";
  readonly round: number;
  readonly perSecond: number;
  /** CPU seconds of the host and of its runner. */
  readonly cpu?: readonly [host: number, runner: number];
}

function measured({ contender, round, perSecond, cpu }: Given): Measurement {
  const role = (name: string, cpuSecondsPer10k: number) => ({
    role: name,
    cpuSecondsPer10k,
    rssBytes: 1,
    peakBytes: 1,
  });
  return {
    job: "echo",
    contender,
    concurrency: 64,
    round,
    requests: 1_000,
    requestsPerSecond: perSecond,
    latencyMs: { p50: 1, p90: 2, p99: 4, p999: 5, max: 6 },
    generatorLoad: 0.2,
    processes: cpu === undefined ? [] : [role("host", cpu[0]), role("runner", cpu[1]), role("nats-server", 9)],
  };
}

const compare = (measurements: readonly Measurement[]): BuildRatios[] =>
  compareBuilds(measurements, {
    own: "own",
    other: "other",
    isServer: (role) => role === "nats-server",
    hostRole: "host",
  });

/** So many rounds, each with this throughput of the own build beside 100 of the other. */
function rounds(throughputs: readonly number[]): Measurement[] {
  return throughputs.flatMap((perSecond, index) => [
    measured({ contender: "own", round: index + 1, perSecond }),
    measured({ contender: "other", round: index + 1, perSecond: 100 }),
  ]);
}

test("a request's CPU time is that of a build's own processes, and of its host alone", () => {
  const [ratios] = compare([
    measured({ contender: "own", round: 1, perSecond: 110, cpu: [0.08, 0.06] }),
    measured({ contender: "other", round: 1, perSecond: 100, cpu: [0.1, 0.06] }),
  ]);
  expect(ratios).toMatchObject({ place: "echo@64", rounds: 1 });
  expect(ratios?.throughput.median).toBeCloseTo(1.1);
  expect(ratios?.ownCpu?.median).toBeCloseTo(0.14 / 0.16);
  expect(ratios?.hostCpu?.median).toBeCloseTo(0.8);
});

test("rounds are compared in which both builds were measured", () => {
  const [ratios] = compare([
    measured({ contender: "own", round: 1, perSecond: 50 }),
    measured({ contender: "own", round: 2, perSecond: 90 }),
    measured({ contender: "other", round: 2, perSecond: 100 }),
    measured({ contender: "other", round: 3, perSecond: 1 }),
  ]);
  expect(ratios).toMatchObject({ rounds: 1, throughput: { median: 0.9 }, ownCpu: undefined, hostCpu: undefined });
});

test("a build is slower that falls behind in nearly all of 25 rounds, however little", () => {
  const verdict = (throughputs: readonly number[]): boolean[] => compare(rounds(throughputs)).map(isSlower);
  const behind = (times: number): number[] => [
    ...Array<number>(times).fill(99),
    ...Array<number>(25 - times).fill(101),
  ];
  expect(verdict(behind(25))).toEqual([true]);
  expect(verdict(behind(20))).toEqual([true]);
  expect(verdict(behind(14))).toEqual([false]);
  expect(verdict(behind(0))).toEqual([false]);
});

test("a few rounds prove nothing", () => {
  const compared = compare(rounds([90, 90, 90]));
  expect(compared.map(isSlower)).toEqual([false]);
  expect(againstText(compared)).toContain("anything");
});
