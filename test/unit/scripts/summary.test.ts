import { expect, test } from "vitest";
import { cutOffReport, missingReport, summaryLine } from "../../../scripts/test/summary.ts";

test("the line names the skipped tests only when there are some", () => {
  expect(summaryLine({ passed: 12, failed: 0, skipped: 0 })).toBe("12 passed, 0 failed");
  expect(summaryLine({ passed: 12, failed: 1, skipped: 2 })).toBe("12 passed, 1 failed, 2 skipped");
});

test("a run that was cut off says by what, how far it was, and what took long", () => {
  const report = cutOffReport("SIGTERM", 61_040, {
    counts: { passed: 5, failed: 1, skipped: 0 },
    failures: [],
    toolchains: [],
    missing: [],
    isComplete: false,
    underWay: [{ name: "unit: a.test.ts > one", ms: 30_000 }],
    files: Array.from({ length: 20 }, (_, at) => ({ name: `file ${at}`, ms: 100 - at })),
    tests: [],
  });
  expect(report.split("\n")).toEqual([
    "The tests were cut off by SIGTERM after 61.0 s, with 5 passed, 1 failed. What did not come to its end counts as one failure.",
    "Running:",
    "   30.0 s  unit: a.test.ts > one",
    "Files that took longest:",
    ...Array.from({ length: 8 }, (_, at) => `    0.1 s  file ${at}`),
  ]);
});

const MISSING = { name: "rust", install: "install rustup", reason: "no rustup on PATH", tests: ["a > 1", "a > 2"] };

test("what was skipped is named, with what to install", () => {
  expect(missingReport([])).toEqual([]);
  expect(missingReport([MISSING])).toEqual([
    "Skipped without rust (no rustup on PATH); to have it, install rustup",
    "  a > 1",
    "  a > 2",
  ]);
});
