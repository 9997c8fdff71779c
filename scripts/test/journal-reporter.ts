/**
 * vitest's reporter that keeps the journal: see `journal.ts`. It runs in vitest's own process and writes each line before
 * vitest goes on, since there may be no later.
 *
 * @module
 */

import { closeSync, openSync, writeSync } from "node:fs";
import type {
  Reporter,
  SerializedError,
  TestCase,
  TestModule,
  TestModuleState,
  TestRunEndReason,
  TestSuite,
} from "vitest/node";
import { describeErrors, type Failure, projectPath } from "./failures.ts";
import type { JournalLine } from "./journal.ts";

/** Names the journal's file, which exists. */
export const JOURNAL_VARIABLE = "NETWORK_HOST_TEST_JOURNAL";

/** What a file comes to unless its process ends first. */
const ENDED: ReadonlySet<string> = new Set<TestModuleState>(["passed", "failed", "skipped"]);

export default class JournalReporter implements Reporter {
  readonly #file: number;

  constructor() {
    this.#file = openSync(process.env[JOURNAL_VARIABLE] ?? "/dev/null", "a");
    // A test that runs tests has a journal of its own.
    delete process.env[JOURNAL_VARIABLE];
  }

  onTestModuleStart(module: TestModule): void {
    this.#write({ kind: "file-began", file: fileOf(module), atMs: Date.now() });
  }

  onTestCaseReady(test: TestCase): void {
    this.#write({ kind: "test-began", file: fileOf(test.module), test: test.fullName, atMs: Date.now() });
  }

  onTestCaseResult(test: TestCase): void {
    const { state, errors } = test.result();
    const { toolchains, missingToolchains } = test.meta();
    this.#write({
      kind: "test-ended",
      file: fileOf(test.module),
      test: test.fullName,
      outcome: state === "pending" ? "failed" : state,
      tookMs: test.diagnostic()?.duration ?? 0,
      errors: describeErrors(errors ?? []),
      ...(toolchains !== undefined && { toolchains }),
      ...(missingToolchains !== undefined && { missingToolchains }),
    });
  }

  onTestSuiteResult(suite: TestSuite): void {
    // Its state is that of its tests, too.
    const errors = suite.errors();
    if (errors.length === 0) return;
    const file = fileOf(suite.module);
    this.#write({ kind: "suite-failed", file, suite: suite.fullName, errors: describeErrors(errors) });
  }

  onTestModuleEnd(module: TestModule): void {
    this.#write({
      kind: "file-ended",
      file: fileOf(module),
      hasFailed: module.state() === "failed",
      errors: describeErrors(module.errors()),
      atMs: Date.now(),
    });
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[], reason: TestRunEndReason): void {
    this.#write({
      kind: "run-ended",
      strayErrors: errors.map(strayFailure),
      unfinished: modules.filter((module) => !ENDED.has(module.state())).map(fileOf),
      hasFailed: reason !== "passed",
    });
    closeSync(this.#file);
  }

  #write(line: JournalLine): void {
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}

/** With its project, since several take the same file. */
function fileOf(module: TestModule): string {
  const { name } = module.project;
  const path = projectPath(module.moduleId);
  return name === "" ? path : `${name}: ${path}`;
}

/** An error that no test is known to have brought about. vitest may know which one ran. */
function strayFailure(error: SerializedError): Failure {
  const { type, VITEST_TEST_NAME: test, VITEST_TEST_PATH: path } = error;
  const nearby = [typeof path === "string" ? projectPath(path) : "", typeof test === "string" ? test : ""];
  const place = nearby.filter((part) => part !== "").join(" > ");
  return {
    where: `${typeof type === "string" ? type : "Unhandled Error"}${place === "" ? "" : `, about the time of ${place}`}`,
    lines: describeErrors([error]),
  };
}
