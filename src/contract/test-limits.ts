/**
 * Limits of tests of plugins (`network-host test`): of the files that describe them, and of what is kept while they run.
 *
 * @module
 */

import { type FixedLimitRow, MIB } from "./limit-row.ts";

export const TEST_LIMIT_ROWS = {
  testFileBytes: {
    value: 4 * MIB,
    unit: "bytes",
    summary: "One test file; a larger one is config-invalid.",
    enforcedIn: "testing/test-files",
  },
  testFiles: {
    value: 1_000,
    unit: "count",
    summary: "Test files of one run; more are usage-invalid.",
    enforcedIn: "testing/test-files",
  },
  testCases: {
    value: 10_000,
    unit: "count",
    summary: "Cases of one test file; more are config-invalid.",
    enforcedIn: "config/test-document",
  },
  testRuns: {
    value: 20_000,
    unit: "count",
    summary:
      "Runs of the cases of one test file: one of each case, or as many as its `each` has combinations; more are config-invalid.",
    enforcedIn: "config/test-document",
  },
  testValueBytes: {
    value: 64 * MIB,
    unit: "bytes",
    summary: "One payload, value or body of a test file, files that it names included; a larger one is config-invalid.",
    enforcedIn: "config/test-values",
  },
  testLogLines: {
    value: 10_000,
    unit: "count",
    summary: "Lines of a plugin's log that a test keeps for one request; the rest is left out, which fails the case.",
    enforcedIn: "testing/captured-log",
  },
} as const satisfies Record<string, FixedLimitRow>;
