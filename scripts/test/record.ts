/**
 * The last full run of the tests of authors, as the docs have it: what came out, when, and with which toolchains.
 *
 * @module
 */

import { readFile, writeFile } from "node:fs/promises";
import { arch, availableParallelism } from "node:os";
import { join } from "node:path";
import { ROOT } from "../lib/project.ts";
import { formatText } from "../generated-file.ts";
import { fillPage } from "../marked-page.ts";
import type { SkippedForToolchain, TestCounts } from "./journal.ts";
import { summaryLine } from "./summary.ts";

/** The page that has it. */
export const RECORD_PAGE = "docs/write-a-plugin/README.md";
const PLACE = "last-run";

/** A run that has come to its end. */
export interface Run {
  readonly counts: TestCounts;
  readonly toolchains: readonly string[];
  readonly missing: readonly SkippedForToolchain[];
  readonly ms: number;
  readonly date: Date;
}

/** Writes it into its page, below the project's folder. @returns the page's path */
export async function recordRun(run: Run, root: string = ROOT): Promise<string> {
  const path = join(root, RECORD_PAGE);
  const page = await readFile(path, "utf8");
  const filled = fillPage(RECORD_PAGE, page, (name) => (name === PLACE ? describeRun(run) : undefined));
  await writeFile(path, await formatText(RECORD_PAGE, filled));
  return RECORD_PAGE;
}

/** A table, and below it the tests that were skipped. */
function describeRun({ counts, toolchains, missing, ms, date }: Run): string {
  const rows = [
    ["date", date.toISOString().slice(0, 10)],
    ["outcome", summaryLine(counts)],
    ["duration", `${Math.round(ms / 60_000)} min`],
    ["machine", `${process.platform}, ${arch()}, ${availableParallelism()} processors`],
    ["toolchains", [`Node ${process.versions.node}`, ...toolchains].join(", ")],
    ["missing", missing.length === 0 ? "none" : missing.map(({ name }) => name).join(", ")],
  ] as const;
  return [
    "| last full run | |\n| - | - |",
    ...rows.map(([name, value]) => `| ${name} | ${value} |`),
    ...missing.flatMap(({ name, tests }) => ["", `Skipped without ${name}:`, "", ...tests.map((test) => `- ${test}`)]),
  ].join("\n");
}
