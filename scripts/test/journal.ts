/**
 * What has become of each test so far, kept in a file as it happens, one line of JSON each: whatever ends vitest, and
 * however, what was known is there. `journal-reporter.ts` writes it within vitest, `npm test` reads it.
 *
 * @module
 */

/** What is noted. Times are those of the wall clock, in milliseconds. */
export type JournalLine =
  | { readonly kind: "file-began"; readonly file: string; readonly atMs: number }
  | { readonly kind: "test-began"; readonly file: string; readonly test: string; readonly atMs: number }
  | {
      readonly kind: "test-ended";
      readonly file: string;
      readonly test: string;
      readonly outcome: "passed" | "failed" | "skipped";
      readonly tookMs: number;
    }
  | { readonly kind: "file-ended"; readonly file: string; readonly hasFailed: boolean; readonly atMs: number }
  /** The last line, if vitest came to its end; with how many errors that belong to no test. */
  | { readonly kind: "run-ended"; readonly strayErrors: number };

/** How many tests ended how. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Something that took its time, or takes it still. */
export interface Duration {
  readonly name: string;
  readonly ms: number;
}

/** What a journal says. */
export interface Progress {
  readonly counts: TestCounts;
  /** Did vitest come to its end? */
  readonly isComplete: boolean;
  /** Tests, and files whose set-up or tear-down it is, that had begun and not ended. */
  readonly underWay: readonly Duration[];
  /** Files that have ended and tests that have ended, the slowest first. */
  readonly files: readonly Duration[];
  readonly tests: readonly Duration[];
}

/** What is known of one file. */
interface FileState {
  readonly beganMs: number;
  failed: number;
  endedMs: number | undefined;
}

/**
 * Reads a journal. Whatever went wrong counts as a failure even if no test did: a file that could not be loaded, an error
 * outside of tests, a run that did not come to its end.
 *
 * @param text a last line without its end is one that was cut off, and left out
 * @param nowMs until when that lasts which is under way
 */
export function readJournal(text: string, nowMs: number): Progress {
  const files = new Map<string, FileState>();
  const running = new Map<string, number>();
  const tests: Duration[] = [];
  const counts = { passed: 0, failed: 0, skipped: 0 };
  let isComplete = false;
  for (const line of text.split("\n").slice(0, -1)) {
    const note = JSON.parse(line) as JournalLine;
    switch (note.kind) {
      case "file-began":
        files.set(note.file, { beganMs: note.atMs, failed: 0, endedMs: undefined });
        break;
      case "test-began":
        running.set(testName(note), note.atMs);
        break;
      case "test-ended": {
        const name = testName(note);
        running.delete(name);
        counts[note.outcome] += 1;
        tests.push({ name, ms: note.tookMs });
        const file = files.get(note.file);
        if (file !== undefined && note.outcome === "failed") file.failed += 1;
        break;
      }
      case "file-ended": {
        const file = files.get(note.file) ?? { beganMs: note.atMs, failed: 0, endedMs: undefined };
        file.endedMs = note.atMs;
        if (note.hasFailed && file.failed === 0) counts.failed += 1;
        files.set(note.file, file);
        break;
      }
      case "run-ended":
        isComplete = true;
        if (counts.failed === 0 && note.strayErrors > 0) counts.failed = 1;
        break;
    }
  }
  if (!isComplete || files.size === 0) counts.failed = Math.max(1, counts.failed);
  const open = [...files].filter(([, { endedMs }]) => endedMs === undefined);
  const between = open.filter(([file]) => ![...running.keys()].some((name) => name.startsWith(`${file} > `)));
  const ended = [...files].flatMap(([name, { beganMs, endedMs }]) =>
    endedMs === undefined ? [] : [{ name, ms: endedMs - beganMs }],
  );
  return {
    counts,
    isComplete,
    underWay: slowestFirst([
      ...[...running].map(([name, beganMs]) => ({ name, ms: nowMs - beganMs })),
      ...between.map(([name, { beganMs }]) => ({ name: `${name}, outside of its tests`, ms: nowMs - beganMs })),
    ]),
    files: slowestFirst(ended),
    tests: slowestFirst(tests),
  };
}

function testName({ file, test }: { readonly file: string; readonly test: string }): string {
  return `${file} > ${test}`;
}

function slowestFirst(durations: Duration[]): Duration[] {
  return durations.toSorted((one, other) => other.ms - one.ms);
}
