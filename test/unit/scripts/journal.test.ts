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
    ...endings.map((outcome, at) => ({ kind: "test-ended", file, test: `${at}`, outcome, tookMs: 1_000 }) as const),
    { kind: "file-ended", file, hasFailed, atMs: 1_000 * (endings.length + 1) },
  ];
}

const END: JournalLine = { kind: "run-ended", strayErrors: 0 };

test("tests are counted over all files", () => {
  const text = textOf([
    ...fileLines("a", ["passed", "passed"]),
    ...fileLines("b", ["passed", "failed", "skipped"]),
    END,
  ]);
  expect(readJournal(text, 0)).toMatchObject({ counts: { passed: 3, failed: 1, skipped: 1 }, isComplete: true });
});

test("a file that failed outside of its tests, or could not be loaded, is a failure", () => {
  const failed = textOf([...fileLines("a", ["passed"], true), END]);
  expect(readJournal(failed, 0).counts).toEqual({ passed: 1, failed: 1, skipped: 0 });
  const unloaded = textOf([{ kind: "file-ended", file: "a", hasFailed: true, atMs: 1 }, END]);
  expect(readJournal(unloaded, 0).counts).toEqual({ passed: 0, failed: 1, skipped: 0 });
});

test("an error that belongs to no test is a failure", () => {
  const text = textOf([...fileLines("a", ["passed"]), { kind: "run-ended", strayErrors: 2 }]);
  expect(readJournal(text, 0).counts).toEqual({ passed: 1, failed: 1, skipped: 0 });
});

test("a run without tests is a failure", () => {
  expect(readJournal("", 0)).toMatchObject({ counts: { passed: 0, failed: 1, skipped: 0 }, isComplete: false });
  expect(readJournal(textOf([END]), 0).counts.failed).toBe(1);
});

test("a run that was cut off is a failure, and tells what was under way for how long", () => {
  const text = textOf([
    ...fileLines("a", ["passed", "passed"]),
    { kind: "file-began", file: "b", atMs: 3_000 },
    { kind: "test-began", file: "b", test: "slow", atMs: 4_000 },
    { kind: "file-began", file: "c", atMs: 8_000 },
  ]);
  expect(readJournal(`${text}{"kind":"test-en`, 9_000)).toEqual({
    counts: { passed: 2, failed: 1, skipped: 0 },
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
