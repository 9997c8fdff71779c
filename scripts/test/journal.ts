/**
 * What happened to each test so far, kept in a file as it happens, one line of JSON each: whatever ends vitest, and
 * however, what was known is there. `journal-reporter.ts` writes it within vitest, `npm test` reads it.
 *
 * @module
 */

import type { Failure } from "./failures.ts";

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
      /** What is to be said of its errors: see `failures.ts`. */
      readonly errors: readonly string[];
      /** Name and version of those that it has. */
      readonly toolchains?: readonly string[];
      /** Those that it was skipped without. */
      readonly missingToolchains?: readonly MissingToolchain[];
    }
  /** Outside of its tests: in a hook, or where it was put together. */
  | { readonly kind: "suite-failed"; readonly file: string; readonly suite: string; readonly errors: readonly string[] }
  | {
      readonly kind: "file-ended";
      readonly file: string;
      readonly hasFailed: boolean;
      /** Those outside of its tests and suites. */
      readonly errors: readonly string[];
      readonly atMs: number;
    }
  /** The last line, if vitest came to its end. */
  | {
      readonly kind: "run-ended";
      /** Errors that belong to no test. */
      readonly strayErrors: readonly Failure[];
      /** Files whose process ended before they did. */
      readonly unfinished: readonly string[];
      readonly hasFailed: boolean;
    };

/** A toolchain that this machine does not have, and cannot be given without its user. */
export interface MissingToolchain {
  readonly name: string;
  /** What to do. */
  readonly install: string;
  /** What was found instead. */
  readonly reason: string;
}

/** A missing toolchain, and the tests that were skipped because of it. */
export interface SkippedForToolchain extends MissingToolchain {
  readonly tests: readonly string[];
}

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
  /** As many as are counted; none where something is known to have failed, and not what. */
  readonly failures: readonly Failure[];
  /** Toolchains that tests had, by name and version, each once. */
  readonly toolchains: readonly string[];
  readonly missing: readonly SkippedForToolchain[];
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
  endedMs: number | undefined;
}

/**
 * Reads a journal. Whatever went wrong counts as a failure, beside the tests that failed: a hook, a file that could not be
 * loaded, a test that its process took along, an error outside of tests, a run that did not come to its end.
 *
 * @param text a last line without its end is one that was cut off, and left out
 * @param nowMs when the tests that still run are taken to end
 */
export function readJournal(text: string, nowMs: number): Progress {
  const files = new Map<string, FileState>();
  const running = new Map<string, number>();
  const tests: Duration[] = [];
  const failures: Failure[] = [];
  const failedFiles = new Set<string>();
  const counts = { passed: 0, skipped: 0 };
  const toolchains = new Set<string>();
  const missing = new Map<string, MissingToolchain & { tests: string[] }>();
  let isComplete = false;
  let hasFailed = false;
  const fail = (file: string, where: string, lines: readonly string[]): void => {
    failedFiles.add(file);
    failures.push({ where, lines });
  };
  for (const line of text.split("\n").slice(0, -1)) {
    const note = JSON.parse(line) as JournalLine;
    switch (note.kind) {
      case "file-began":
        files.set(note.file, { beganMs: note.atMs, endedMs: undefined });
        break;
      case "test-began":
        running.set(testName(note), note.atMs);
        break;
      case "test-ended": {
        const name = testName(note);
        running.delete(name);
        tests.push({ name, ms: note.tookMs });
        if (note.outcome === "failed") fail(note.file, name, note.errors);
        else counts[note.outcome] += 1;
        for (const toolchain of note.toolchains ?? []) toolchains.add(toolchain);
        for (const toolchain of note.missingToolchains ?? []) {
          const known = missing.getOrInsert(toolchain.name, { ...toolchain, tests: [] });
          known.tests.push(name);
        }
        break;
      }
      case "suite-failed":
        fail(note.file, `${note.file} > ${note.suite}, outside of its tests`, note.errors);
        break;
      case "file-ended": {
        const file = files.get(note.file) ?? { beganMs: note.atMs, endedMs: undefined };
        file.endedMs = note.atMs;
        files.set(note.file, file);
        const isUnexplained = note.hasFailed && !failedFiles.has(note.file);
        if (note.errors.length > 0 || isUnexplained) fail(note.file, `${note.file}, outside of its tests`, note.errors);
        break;
      }
      case "run-ended":
        isComplete = true;
        hasFailed = note.hasFailed;
        failures.push(...note.strayErrors);
        for (const file of note.unfinished) {
          const during = [...running.keys()].filter((name) => name.startsWith(`${file} > `));
          failures.push({ where: file, lines: ["did not come to its end", ...during.map((name) => `during ${name}`)] });
        }
        break;
    }
  }
  const open = [...files].filter(([, { endedMs }]) => endedMs === undefined);
  const between = open.filter(([file]) => ![...running.keys()].some((name) => name.startsWith(`${file} > `)));
  const ended = [...files].flatMap(([name, { beganMs, endedMs }]) =>
    endedMs === undefined ? [] : [{ name, ms: endedMs - beganMs }],
  );
  const underWay = slowestFirst([
    ...[...running].map(([name, beganMs]) => ({ name, ms: nowMs - beganMs })),
    ...between.map(([name, { beganMs }]) => ({ name: `${name}, outside of its tests`, ms: nowMs - beganMs })),
  ]);
  if (!isComplete) failures.push({ where: "What did not come to its end", lines: underWay.map(({ name }) => name) });
  // Something failed of which vitest said nothing here, or no file was found.
  const isUnexplained = failures.length === 0 && (hasFailed || files.size === 0);
  return {
    counts: { ...counts, failed: isUnexplained ? 1 : failures.length },
    failures,
    toolchains: [...toolchains].toSorted(),
    missing: [...missing.values()],
    isComplete,
    underWay,
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
