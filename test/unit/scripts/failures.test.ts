import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../../../scripts/lib/project.ts";
import { describeErrors, failureReport } from "../../../scripts/test/failures.ts";

/** So many failures of which much is known. */
function failuresOf(count: number): { where: string; lines: string[] }[] {
  return Array.from({ length: count }, (_, at) => ({
    where: `unit: test/unit/${at}.test.ts > fails`,
    lines: Array.from({ length: 12 }, (_line, line) => `line ${line}`),
  }));
}

test("an error is told by what it says, where it was thrown, what brought it about, and how that differs", () => {
  const stacks = [{ file: join(ROOT, "test/unit/a.test.ts"), line: 3, column: 7 }];
  expect(
    describeErrors([
      {
        name: "AssertionError",
        message: "\u001B[31mexpected 1\u001B[39m\n\n to be 2 ",
        stacks,
        diff: "- Expected\n+ Received\n\n- 2\n+ 1",
        cause: { name: "Error", message: "below", stack: "Error: below\n    at inner (file:///x.ts:1:2)\n    at y" },
      },
    ]),
  ).toEqual([
    "AssertionError: expected 1",
    " to be 2",
    "at test/unit/a.test.ts:3:7",
    "caused by Error: below",
    "at inner (file:///x.ts:1:2)",
    "- Expected",
    "+ Received",
    "- 2",
    "+ 1",
  ]);
});

test("whatever was thrown is told in few and short lines", () => {
  expect(describeErrors([{ message: "text" }, {}])).toEqual(["text"]);
  const ring: { message: string; cause?: unknown } = { message: "round" };
  ring.cause = ring;
  expect(describeErrors([ring]).length).toBeLessThanOrEqual(12);
  const long = { message: `${"x".repeat(100_000)}\n`.repeat(100), stacks: [{ file: "/a", line: 1, column: 1 }] };
  const lines = describeErrors([long, long, long]);
  expect(lines).toHaveLength(12);
  expect(lines.every((line) => line.length <= 240)).toBe(true);
  // However long the message is, the place is told.
  expect(lines).toContain("at /a:1:1");
});

test("where nothing failed there is nothing to say", () => {
  expect(failureReport([])).toEqual([]);
});

test("few failures are told with twelve lines each, many with fewer, and too many are counted", () => {
  expect(failureReport(failuresOf(1))).toHaveLength(1 + 1 + 12);
  expect(failureReport(failuresOf(7))).toHaveLength(1 + 7 * 5);
  const many = failureReport(failuresOf(35));
  expect(many).toHaveLength(36);
  expect(many.at(-1)).toBe("  unit: test/unit/34.test.ts > fails");
  const tooMany = failureReport(failuresOf(300));
  expect(tooMany).toHaveLength(36);
  expect(tooMany.slice(-2)).toEqual(["  unit: test/unit/33.test.ts > fails", "  and 266 more"]);
});

test("a title of several lines is told in one", () => {
  expect(failureReport([{ where: "unit: a > says\n  two things", lines: [] }])).toEqual([
    "What failed:",
    "  unit: a > says two things",
  ]);
});
