/**
 * `npm test`: builds what the tests need, runs all of them and ends with a line `N passed, N failed`. Arguments are
 * passed on to vitest, for example `npm test -- --project unit`.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildExamples } from "../build/examples.ts";
import { buildHost } from "../build/host.ts";
import { CommandError, exited } from "../lib/command.ts";
import { ROOT } from "../lib/project.ts";
import { countTests, summaryLine, type TestCounts } from "./summary.ts";

const TESTS_TIMEOUT_MS = 30 * 60_000;

/** What is known when the tests could not even begin. */
const NOTHING_RAN: TestCounts = { passed: 0, failed: 1, skipped: 0 };

let counts = NOTHING_RAN;
try {
  await buildHost();
  await buildExamples();
  counts = await runVitest(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  console.error(error.message);
}
process.exitCode = counts.failed === 0 ? 0 : 1;
console.log(summaryLine(counts));

async function runVitest(args: readonly string[]): Promise<TestCounts> {
  const folder = await mkdtemp(join(tmpdir(), "network-host-tests-"));
  const report = join(folder, "report.json");
  const vitest = join(ROOT, "node_modules/vitest/vitest.mjs");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  try {
    const child = spawn(process.execPath, [vitest, "run", ...reporters, ...args], {
      cwd: ROOT,
      stdio: "inherit",
      timeout: TESTS_TIMEOUT_MS,
    });
    const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
    process.on("SIGINT", forward);
    process.on("SIGTERM", forward);
    const { code } = await exited(child);
    return countTests(await readFile(report, "utf8").catch(() => ""), code === 0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
