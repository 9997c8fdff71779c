import { expect, test } from "vitest";
import { countTests, summaryLine } from "../../../scripts/test/summary.ts";

function report(...files: readonly { status: string; tests: readonly string[] }[]): string {
  return JSON.stringify({
    testResults: files.map(({ status, tests }) => ({
      status,
      assertionResults: tests.map((test) => ({ status: test })),
    })),
  });
}

test("tests are counted over all files", () => {
  const text = report(
    { status: "passed", tests: ["passed", "passed"] },
    { status: "failed", tests: ["passed", "failed", "pending", "todo"] },
  );
  expect(countTests(text, false)).toEqual({ passed: 3, failed: 1, skipped: 2 });
});

test("a file that could not be loaded is a failure", () => {
  const text = report({ status: "passed", tests: ["passed"] }, { status: "failed", tests: [] });
  expect(countTests(text, false)).toEqual({ passed: 1, failed: 1, skipped: 0 });
});

test("a file that failed outside of its tests is a failure", () => {
  const text = report({ status: "failed", tests: ["passed"] });
  expect(countTests(text, false)).toEqual({ passed: 1, failed: 1, skipped: 0 });
});

test("a run that failed is a failure even if no file says so", () => {
  const text = report({ status: "passed", tests: ["passed"] });
  expect(countTests(text, false)).toEqual({ passed: 1, failed: 1, skipped: 0 });
});

test("a run without a report is a failure, whatever the exit code", () => {
  expect(countTests("", false).failed).toBe(1);
  expect(countTests("", true).failed).toBe(1);
});

test("the line names the skipped tests only when there are some", () => {
  expect(summaryLine({ passed: 12, failed: 0, skipped: 0 })).toBe("12 passed, 0 failed");
  expect(summaryLine({ passed: 12, failed: 1, skipped: 2 })).toBe("12 passed, 1 failed, 2 skipped");
});
