import fc from "fast-check";
import { expect, test } from "vitest";
import {
  FLAT_BYTES_PER_REQUEST,
  judgeSoak,
  MIN_SOAK_REQUESTS,
  partsOf,
  rangesOf,
  requestsPerSample,
  SAMPLES,
  SOAK_CONCURRENCY,
  type SoakSample,
  slopeOf,
} from "../../../bench/soak/soak.ts";
import { soakChart, soakLine, soakText, soakWarnings } from "../../../bench/soak/soak-report.ts";

const MIB = 2 ** 20;
const EACH = 50_000;

/** @param low memory of the host after so many requests */
function samplesOf(low: (requests: number) => number, runners: (sample: number) => number[] = () => [7]): SoakSample[] {
  return Array.from({ length: SAMPLES }, (_, index) => {
    const requests = (index + 1) * EACH;
    return {
      requests,
      seconds: index + 1,
      rssBytes: { host: { low: low(requests), high: low(requests) + 40 * MIB }, mongod: { low: MIB, high: MIB } },
      runners: runners(index),
    };
  });
}

test("the slope of points on a line is the line's", () => {
  const number = fc.integer({ min: -1_000, max: 1_000 });
  const places = fc.uniqueArray(number, { minLength: 2, maxLength: 20 });
  fc.assert(
    fc.property(places, number, number, (xs, start, slope) => {
      expect(slopeOf(xs.map((x) => ({ x, y: start + slope * x })))).toBeCloseTo(slope, 6);
    }),
  );
});

test("the slope of scattered points is the one with the least squares", () => {
  const points = [
    { x: 1, y: 1 },
    { x: 2, y: 3 },
    { x: 3, y: 2 },
  ];
  expect(slopeOf(points)).toBeCloseTo(0.5);
  expect(() =>
    slopeOf([
      { x: 1, y: 1 },
      { x: 1, y: 2 },
    ]),
  ).toThrow(RangeError);
});

test("memory that settles in the first quarter and then stays is flat", () => {
  const [verdict] = judgeSoak(
    samplesOf((requests) => Math.min(requests * 200, 50 * MIB) + 100 * MIB),
    ["host"],
  );
  expect(verdict).toMatchObject({ role: "host", isFlat: true, earlyBytes: 150 * MIB, lateBytes: 150 * MIB });
});

test("memory of which a little is kept of each request is not flat", () => {
  const kept = FLAT_BYTES_PER_REQUEST + 8;
  const [verdict] = judgeSoak(
    samplesOf((requests) => 100 * MIB + requests * kept),
    ["host"],
  );
  expect(verdict?.isFlat).toBe(false);
  expect(verdict?.bytesPerRequest).toBeCloseTo(kept);
  expect(verdict?.lateBytes).toBeGreaterThan(verdict?.earlyBytes ?? 0);
});

test("memory that falls is flat", () => {
  expect(
    judgeSoak(
      samplesOf((requests) => 200 * MIB - requests * 50),
      ["host"],
    )[0]?.isFlat,
  ).toBe(true);
});

test("requests are shared out evenly: each sample after as many, each run a multiple of the slots", () => {
  expect(requestsPerSample(1_000_000) * 2 * SAMPLES).toBeCloseTo(1_000_000, -4);
  expect(requestsPerSample(MIN_SOAK_REQUESTS)).toBe(SOAK_CONCURRENCY);
  for (const requests of [SOAK_CONCURRENCY, requestsPerSample(1_000_000), requestsPerSample(7_654_321)]) {
    const parts = partsOf(requests);
    expect(parts.reduce((sum, part) => sum + part, 0)).toBe(requests);
    expect(parts.every((part) => part > 0 && part % SOAK_CONCURRENCY === 0)).toBe(true);
  }
});

test("the range of several looks is by role, whichever look has it", () => {
  expect(rangesOf([{ host: 5, runner: 1 }, { host: 3 }, { host: 9, runner: 2 }])).toEqual({
    host: { low: 3, high: 9 },
    runner: { low: 1, high: 2 },
  });
});

test("the report has a row for each sample, the verdict and the last line", () => {
  const samples = samplesOf(() => 100 * MIB);
  const verdicts = judgeSoak(samples, ["host"]);
  const text = soakText(samples, verdicts);
  expect(text).toMatch(/\| 50,000 +\| 1\.00 +\| 100–140 +\| 1\.00–1\.00 +\|/);
  expect(text).toMatch(/\| host +\| 100 +\| 100 +\| 0\.0 +\| yes +\|/);
  expect(JSON.parse(soakLine(samples, verdicts))).toEqual({
    soak: {
      requests: 1_000_000,
      flat: true,
      maxBytesPerRequest: FLAT_BYTES_PER_REQUEST,
      host: { bytesPerRequest: 0, earlyMib: 100, lateMib: 100 },
    },
  });
  expect(soakChart(samples)).not.toMatch(/NaN|undefined/);
});

test("too few requests and processes that changed are named", () => {
  expect(soakWarnings(samplesOf(() => MIB))).toEqual([]);
  expect(soakWarnings(samplesOf(() => MIB).slice(0, 5))[0]).toMatch(/heaps still grow/);
  expect(
    soakWarnings(
      samplesOf(
        () => MIB,
        (sample) => [sample < 9 ? 7 : 8],
      ),
    )[0],
  ).toMatch(/ended or began/);
});
