/**
 * vitest's reporter that keeps the journal: see `journal.ts`. It runs in vitest's own process and writes each line before
 * vitest goes on, since there may be no later.
 *
 * @module
 */

import { closeSync, openSync, writeSync } from "node:fs";
import { relative } from "node:path";
import type { Reporter, TestCase, TestModule } from "vitest/node";
import { ROOT } from "../lib/project.ts";
import type { JournalLine } from "./journal.ts";

/** Names the journal's file, which exists. */
export const JOURNAL_VARIABLE = "NETWORK_HOST_TEST_JOURNAL";

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
    const { state } = test.result();
    this.#write({
      kind: "test-ended",
      file: fileOf(test.module),
      test: test.fullName,
      outcome: state === "pending" ? "failed" : state,
      tookMs: test.diagnostic()?.duration ?? 0,
    });
  }

  onTestModuleEnd(module: TestModule): void {
    this.#write({ kind: "file-ended", file: fileOf(module), hasFailed: module.state() === "failed", atMs: Date.now() });
  }

  onTestRunEnd(_modules: readonly TestModule[], errors: readonly unknown[]): void {
    this.#write({ kind: "run-ended", strayErrors: errors.length });
    closeSync(this.#file);
  }

  #write(line: JournalLine): void {
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}

/** With its project, since several take the same file. */
function fileOf(module: TestModule): string {
  const { name } = module.project;
  const path = relative(ROOT, module.moduleId);
  return name === "" ? path : `${name}: ${path}`;
}
