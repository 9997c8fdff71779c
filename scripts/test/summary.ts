/**
 * What `npm test` says at its end: the last line, and before it, where the tests were cut off, what took long.
 *
 * @module
 */

import type { Duration, Progress, SkippedForToolchain, TestCounts } from "./journal.ts";

/** Of each list. */
const NAMED = 8;

export function summaryLine({ passed, failed, skipped }: TestCounts): string {
  const line = `${passed} passed, ${failed} failed`;
  return skipped === 0 ? line : `${line}, ${skipped} skipped`;
}

/** Which tests were skipped because which toolchain is missing, and what to install, as lines. */
export function missingReport(missing: readonly SkippedForToolchain[]): string[] {
  return missing.flatMap(({ name, reason, install, tests }) => [
    `Skipped without ${name} (${reason}); to have it, ${install}`,
    ...tests.map((test) => `  ${test}`),
  ]);
}

/**
 * Why there are no more tests than that, as lines.
 *
 * @param reason completes "The tests were cut off by …"
 */
export function cutOffReport(reason: string, afterMs: number, progress: Progress): string {
  const { counts, underWay, files, tests } = progress;
  return [
    `The tests were cut off by ${reason} after ${seconds(afterMs)}, with ${summaryLine(counts)}. What did not come to its end counts as one failure.`,
    ...list("Running", underWay),
    ...list("Files that took longest", files),
    ...list("Tests that took longest", tests),
  ].join("\n");
}

function list(title: string, durations: readonly Duration[]): string[] {
  if (durations.length === 0) return [];
  return [`${title}:`, ...durations.slice(0, NAMED).map(({ name, ms }) => `${seconds(ms).padStart(9)}  ${name}`)];
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
