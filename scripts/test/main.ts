/**
 * `npm test`: builds what the tests need, runs all of them and ends with what failed and a line `N passed, N failed`.
 * Arguments are passed on to vitest, for example `npm test -- --project unit`.
 *
 * It has no time limit: how long the tests may take is known to whoever runs them. One that is cut off from outside, or
 * whose vitest is, says what it knows by then, and what took long.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildExamples } from "../build/examples.ts";
import { buildHost } from "../build/host.ts";
import { CommandError, endProcess, exited } from "../lib/command.ts";
import { ROOT } from "../lib/project.ts";
import { type Failure, failureReport, linesOf } from "./failures.ts";
import { JOURNAL_VARIABLE } from "./journal-reporter.ts";
import { readJournal, type SkippedForToolchain, type TestCounts } from "./journal.ts";
import { LastErrors } from "./last-errors.ts";
import { type Run, recordRun } from "./record.ts";
import { cutOffReport, missingReport, summaryLine } from "./summary.ts";

/** Names a file to which the last lines, from what failed on, are written as well. */
const ENDING_VARIABLE = "NETWORK_HOST_TEST_ENDING";

/** `npm run test:authors -- --record` writes what came out into the docs. vitest does not see it. */
const RECORD_FLAG = "--record";
const FULL_RUN = "--project authors";

/** What vitest has to end its tests' servers and processes in when it is cut off. */
const END_GRACE_MS = 8_000;
/** What vitest wrote has been read by then; a process that it left behind may keep its standard error open for longer. */
const ERRORS_GRACE_MS = 5_000;

/** How the tests ended. */
interface Outcome {
  readonly counts: TestCounts;
  readonly failures: readonly Failure[];
  /** Toolchains that tests had, and those that are missing. */
  readonly toolchains?: readonly string[];
  readonly missing?: readonly SkippedForToolchain[];
}

/** What is known when the tests could not even begin. */
const NOTHING_RAN: Outcome = { counts: { passed: 0, failed: 1, skipped: 0 }, failures: [] };

/** Set by the first signal that asks for an end; further ones change nothing. */
let cutOffBy: NodeJS.Signals | undefined;
let vitest: ChildProcess | undefined;
let ending: Promise<unknown> | undefined;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, cutOff);

const args = process.argv.slice(2);
const passedOn = args.filter((argument) => argument !== RECORD_FLAG);
const isRecorded = passedOn.length < args.length;
const beganMs = performance.now();

let outcome = NOTHING_RAN;
try {
  await buildHost();
  await buildExamples();
  outcome = await runVitest(passedOn);
  if (isRecorded) await record(outcome);
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  console.error(error.message);
  outcome = { ...NOTHING_RAN, failures: [{ where: "what the tests need", lines: linesOf(error.message) }] };
}
end(outcome);

async function record({ counts, toolchains = [], missing = [] }: Outcome): Promise<void> {
  if (cutOffBy !== undefined || passedOn.join(" ") !== FULL_RUN) {
    console.log(`Not recorded: only a whole run of ${FULL_RUN} is.`);
    return;
  }
  const run: Run = { counts, toolchains, missing, ms: performance.now() - beganMs, date: new Date() };
  console.log(`This run is recorded in ${await recordRun(run)}.`);
}

function end({ counts, failures, missing = [] }: Outcome): never {
  const ending = [...missingReport(missing), ...failureReport(failures), summaryLine(counts)].join("\n");
  console.log(ending);
  const path = process.env[ENDING_VARIABLE];
  if (path !== undefined) writeFileSync(path, `${ending}\n`);
  process.exit(counts.failed === 0 ? 0 : 1);
}

function cutOff(signal: NodeJS.Signals): void {
  if (cutOffBy !== undefined) return;
  cutOffBy = signal;
  if (vitest === undefined) {
    console.log(`Cut off by ${signal} before the tests began, while what they need was built.`);
    end(NOTHING_RAN);
  }
  ending = endProcess(vitest, END_GRACE_MS);
}

async function runVitest(args: readonly string[]): Promise<Outcome> {
  const startMs = performance.now();
  const folder = await mkdtemp(join(tmpdir(), "network-host-tests-"));
  const journal = join(folder, "journal");
  await writeFile(journal, "");
  const program = join(ROOT, "node_modules/vitest/vitest.mjs");
  const reporters = ["--reporter=default", `--reporter=${join(ROOT, "scripts/test/journal-reporter.ts")}`];
  try {
    const child = spawn(process.execPath, [program, "run", ...reporters, ...args], {
      cwd: ROOT,
      stdio: ["inherit", "inherit", "pipe"],
      // A test that runs tests has an ending of its own.
      env: { ...process.env, [JOURNAL_VARIABLE]: journal, [ENDING_VARIABLE]: undefined },
    });
    vitest = child;
    const errors = new LastErrors(child.stderr);
    const exit = await exited(child);
    await ending;
    await errors.ended(ERRORS_GRACE_MS);
    const progress = readJournal(await readFile(journal, "utf8"), Date.now());
    const reason = cutOffBy ?? (progress.isComplete ? undefined : describeExit(exit));
    if (reason !== undefined) console.log(cutOffReport(reason, performance.now() - startMs, progress));
    const { counts, failures, toolchains, missing } = progress;
    if (failures.length > 0 || (exit.code === 0 && counts.failed === 0))
      return { counts, failures, toolchains, missing };
    const unexplained = { where: describeExit(exit), lines: errors.lines() };
    return { counts: { ...counts, failed: 1 }, failures: [unexplained] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function describeExit({ code, signal }: { readonly code: number | null; readonly signal: string | null }): string {
  return `the end of vitest (${signal ?? `exit code ${code}`})`;
}
