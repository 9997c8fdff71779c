/**
 * The last line of `npm test`, from vitest's JSON report.
 *
 * @module
 */

/** How many tests ended how. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The part of vitest's report that is read here. */
interface Report {
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/**
 * Counts the tests of a report. Whatever went wrong counts as a failure even if no test did: a file that could not be
 * loaded, an error outside of tests, a report that is not there.
 *
 * @param report JSON text, empty when there is none
 * @param succeeded vitest's own verdict
 */
export function countTests(report: string, succeeded: boolean): TestCounts {
  const files = report === "" ? [] : (JSON.parse(report) as Report).testResults;
  let [passed, failed, skipped] = [0, 0, 0];
  for (const { status, assertionResults } of files) {
    const failedHere = assertionResults.filter((test) => test.status === "failed").length;
    const passedHere = assertionResults.filter((test) => test.status === "passed").length;
    passed += passedHere;
    failed += status === "failed" && failedHere === 0 ? 1 : failedHere;
    skipped += assertionResults.length - passedHere - failedHere;
  }
  return { passed, failed: succeeded && files.length > 0 ? failed : Math.max(failed, 1), skipped };
}

export function summaryLine({ passed, failed, skipped }: TestCounts): string {
  const line = `${passed} passed, ${failed} failed`;
  return skipped === 0 ? line : `${line}, ${skipped} skipped`;
}
