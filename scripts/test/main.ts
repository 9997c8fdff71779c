/**
 * `npm test`: builds what the tests need, runs all of them and ends with a line `N passed, N failed`. Arguments are
 * passed on to vitest, for example `npm test -- --project unit`.
 *
 * It has no time limit: how long the tests may take is known to whoever runs them. One that is cut off from outside, or
 * whose vitest is, says what it knows by then, and what took long.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildExamples } from "../build/examples.ts";
import { buildHost } from "../build/host.ts";
import { CommandError, endProcess, exited } from "../lib/command.ts";
import { ROOT } from "../lib/project.ts";
import { JOURNAL_VARIABLE } from "./journal-reporter.ts";
import { readJournal, type TestCounts } from "./journal.ts";
import { cutOffReport, summaryLine } from "./summary.ts";

/** What vitest has to end its tests' servers and processes in when it is cut off. */
const END_GRACE_MS = 8_000;

/** What is known when the tests could not even begin. */
const NOTHING_RAN: TestCounts = { passed: 0, failed: 1, skipped: 0 };

/** Set by the first signal that asks for an end; further ones change nothing. */
let cutOffBy: NodeJS.Signals | undefined;
let vitest: ChildProcess | undefined;
let ending: Promise<unknown> | undefined;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, cutOff);

let counts = NOTHING_RAN;
try {
  await buildHost();
  await buildExamples();
  counts = await runVitest(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  console.error(error.message);
}
end(counts);

function end(ended: TestCounts): never {
  console.log(summaryLine(ended));
  process.exit(ended.failed === 0 ? 0 : 1);
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

async function runVitest(args: readonly string[]): Promise<TestCounts> {
  const startMs = performance.now();
  const folder = await mkdtemp(join(tmpdir(), "network-host-tests-"));
  const journal = join(folder, "journal");
  await writeFile(journal, "");
  const program = join(ROOT, "node_modules/vitest/vitest.mjs");
  const reporters = ["--reporter=default", `--reporter=${join(ROOT, "scripts/test/journal-reporter.ts")}`];
  try {
    vitest = spawn(process.execPath, [program, "run", ...reporters, ...args], {
      cwd: ROOT,
      stdio: "inherit",
      env: { ...process.env, [JOURNAL_VARIABLE]: journal },
    });
    const exit = await exited(vitest);
    await ending;
    const progress = readJournal(await readFile(journal, "utf8"), Date.now());
    const reason = cutOffBy ?? (progress.isComplete ? undefined : describeExit(exit));
    if (reason !== undefined) console.log(cutOffReport(reason, performance.now() - startMs, progress));
    const failed = exit.code === 0 ? progress.counts.failed : Math.max(1, progress.counts.failed);
    return { ...progress.counts, failed };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function describeExit({ code, signal }: { readonly code: number | null; readonly signal: string | null }): string {
  return `the end of vitest (${signal ?? `exit code ${code}`})`;
}
