import { expect, test } from "vitest";
import type { Cell } from "../../../bench/figures/measurement.ts";
import { reportText, warnings } from "../../../bench/comparison/report.ts";

const one = (value: number) => ({ median: value, min: value, max: value });

function cell(given: Partial<Cell>): Cell {
  return {
    job: "echo",
    concurrency: 64,
    contender: "host",
    requestsPerSecond: { median: 12_345.6, min: 9_999, max: 15_000 },
    p50Ms: one(1.234),
    p99Ms: one(12.34),
    generatorLoad: one(0.25),
    processes: [
      { role: "host", cpuSecondsPer10k: one(0.5), rssBytes: { median: 2 ** 26, min: 2 ** 26, max: 2 ** 27 } },
    ],
    ...given,
  };
}

test("a table shows medians with their spread, CPU time and the highest memory", () => {
  const text = reportText({ cells: [cell({})], comparisons: [] });
  expect(text).toContain(
    "| 64        | host | 12,346 (9,999–15,000) | 1.23 (1.23–1.23) | 12.3 (12.3–12.3) | 25 %      |",
  );
  expect(text).toContain("0.50 s, 128");
});

test("a small ratio keeps two digits that count", () => {
  const comparison = { job: "echo", concurrency: 64, contender: "host", cpu: undefined } as const;
  const ratios = { requestsPerSecond: one(0.01234), p50: one(70.04), p99: one(0.5) };
  const text = reportText({ cells: [cell({})], comparisons: [{ ...comparison, ...ratios }] });
  expect(text).toContain("0.012× (0.012×–0.012×) | 70.0× (70.0×–70.0×) | 0.50× (0.50×–0.50×) | –");
});

test("ratios say what they are ratios to", () => {
  const comparison = { job: "echo", concurrency: 64, contender: "host", cpu: undefined } as const;
  const comparisons = [{ ...comparison, requestsPerSecond: one(2), p50: one(1), p99: one(1) }];
  const summary = { cells: [cell({})], comparisons };
  expect(reportText(summary)).toContain("As ratios to the hand-written responder in Node");
  expect(reportText(summary, "host-1-runner")).toContain("As ratios to host-1-runner");
});

test("rows are in the order of concurrency, whichever was measured first", () => {
  const text = reportText({ cells: [cell({ concurrency: 256 }), cell({ concurrency: 1 })], comparisons: [] });
  expect(text.indexOf("| 1 ")).toBeLessThan(text.indexOf("| 256 "));
});

test("a busy generator is named as a possible bottleneck", () => {
  const busy = cell({ contender: "base", generatorLoad: one(0.9) });
  expect(warnings([cell({}), busy])).toEqual([
    "echo@64 base: the load generator used 90 % of a core and may be the bottleneck",
  ]);
});
