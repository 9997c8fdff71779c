import { expect, test } from "vitest";
import { type JournalLine, readJournal } from "../../../scripts/test/journal.ts";

function textOf(lines: readonly JournalLine[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

type Ending = "passed" | "failed" | "skipped";

/** A file whose tests ended like that, and which took a second for each. */
function fileLines(file: string, endings: readonly Ending[], hasFailed = endings.includes("failed")): JournalLine[] {
  return [
    { kind: "file-began", file, atMs: 1_000 },
    ...endings.map(
      (outcome, at) => ({ kind: "test-ended", file, test: `${at}`, outcome, tookMs: 1_000, errors: [] }) as const,
    ),
    { kind: "file-ended", file, hasFailed, errors: [], atMs: 1_000 * (endings.length + 1) },
  ];
}

const END: JournalLine = { kind: "run-ended", strayErrors: [], unfinished: [], hasFailed: false };

test("tests are counted over all files", () => {
  const text = textOf([
    ...fileLines("a", ["passed", "passed"]),
    ...fileLines("b", ["passed", "failed", "skipped"]),
    END,
  ]);
  expect(readJournal(text, 0)).toMatchObject({ counts: { passed: 3, failed: 1, skipped: 1 }, isComplete: true });
});

test("what failed is named, with what is known of it: tests, suites, files, and what belongs to none of them", () => {
  const { counts, failures } = readJournal(
    textOf([
      { kind: "file-began", file: "a", atMs: 1 },
      { kind: "test-ended", file: "a", test: "s > t", outcome: "failed", tookMs: 1, errors: ["Error: 1"] },
      { kind: "suite-failed", file: "a", suite: "s", errors: ["Error: 2"] },
      { kind: "file-ended", file: "a", hasFailed: true, errors: ["Error: 3"], atMs: 2 },
      { kind: "file-began", file: "b", atMs: 1 },
      { kind: "test-began", file: "b", test: "u", atMs: 1 },
      {
        kind: "run-ended",
        strayErrors: [{ where: "Unhandled Rejection", lines: ["Error: 4"] }],
        unfinished: ["b"],
        hasFailed: true,
      },
    ]),
    0,
  );
  expect(failures).toEqual([
    { where: "a > s > t", lines: ["Error: 1"] },
    { where: "a > s, outside of its tests", lines: ["Error: 2"] },
    { where: "a, outside of its tests", lines: ["Error: 3"] },
    { where: "Unhandled Rejection", lines: ["Error: 4"] },
    { where: "b", lines: ["did not come to its end", "during b > u"] },
  ]);
  expect(counts).toEqual({ passed: 0, failed: 5, skipped: 0 });
});

test("a file that failed for a reason that was not told is a failure", () => {
  const failed = textOf([...fileLines("a", ["passed"], true), END]);
  expect(readJournal(failed, 0).counts).toEqual({ passed: 1, failed: 1, skipped: 0 });
  const unloaded = textOf([{ kind: "file-ended", file: "a", hasFailed: true, errors: [], atMs: 1 }, END]);
  expect(readJournal(unloaded, 0).counts).toEqual({ passed: 0, failed: 1, skipped: 0 });
});

test("a run without tests is a failure, and one that failed though no test did", () => {
  expect(readJournal("", 0)).toMatchObject({ counts: { passed: 0, failed: 1, skipped: 0 }, isComplete: false });
  expect(readJournal(textOf([END]), 0).counts.failed).toBe(1);
  const failed = textOf([...fileLines("a", ["passed"]), { ...END, hasFailed: true }]);
  expect(readJournal(failed, 0).counts).toEqual({ passed: 1, failed: 1, skipped: 0 });
});

test("a run that was cut off is a failure, and says what was running for how long", () => {
  const text = textOf([
    ...fileLines("a", ["passed", "passed"]),
    { kind: "file-began", file: "b", atMs: 3_000 },
    { kind: "test-began", file: "b", test: "slow", atMs: 4_000 },
    { kind: "file-began", file: "c", atMs: 8_000 },
  ]);
  expect(readJournal(`${text}{"kind":"test-en`, 9_000)).toEqual({
    counts: { passed: 2, failed: 1, skipped: 0 },
    toolchains: [],
    missing: [],
    failures: [{ where: "What did not come to its end", lines: ["b > slow", "c, outside of its tests"] }],
    isComplete: false,
    underWay: [
      { name: "b > slow", ms: 5_000 },
      { name: "c, outside of its tests", ms: 1_000 },
    ],
    files: [{ name: "a", ms: 2_000 }],
    tests: [
      { name: "a > 0", ms: 1_000 },
      { name: "a > 1", ms: 1_000 },
    ],
  });
});

test("toolchains are named once, and a missing one with the tests that were skipped because of it", () => {
  const ended = (test: string, more: object) =>
    ({ kind: "test-ended", file: "a", test, outcome: "skipped", tookMs: 0, errors: [], ...more }) as const;
  const missing = { name: "rust", install: "install rustup", reason: "no rustup" };
  const {
    counts,
    toolchains,
    missing: found,
  } = readJournal(
    textOf([
      { kind: "file-began", file: "a", atMs: 1 },
      ended("1", { outcome: "passed", toolchains: ["git 2", "Python 3"] }),
      ended("2", { toolchains: ["git 2"], missingToolchains: [missing] }),
      ended("3", { missingToolchains: [missing] }),
      { kind: "file-ended", file: "a", hasFailed: false, errors: [], atMs: 2 },
      END,
    ]),
    0,
  );
  expect(counts).toEqual({ passed: 1, failed: 0, skipped: 2 });
  expect(toolchains).toEqual(["Python 3", "git 2"]);
  expect(found).toEqual([{ ...missing, tests: ["a > 2", "a > 3"] }]);
});
