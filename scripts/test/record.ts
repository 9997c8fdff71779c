/**
 * The last full run of the tests of authors, as the docs have it: what came out, when, and with which toolchains.
 *
 * @module
 */

import { readFile, writeFile } from "node:fs/promises";
import { arch, availableParallelism } from "node:os";
import { join } from "node:path";
import { ROOT } from "../lib/project.ts";
import { fillPage } from "../marked-page.ts";
import type { SkippedForToolchain, TestCounts } from "./journal.ts";
import { summaryLine } from "./summary.ts";

/** The page and the place of it. */
const PAGE = "docs/write-a-plugin/README.md";
const PLACE = "last-run";

/** A run that has come to its end. */
export interface Run {
  readonly counts: TestCounts;
  readonly toolchains: readonly string[];
  readonly missing: readonly SkippedForToolchain[];
  readonly ms: number;
  readonly date: Date;
}

/** Writes it into its page. @returns the page's path */
export async function recordRun(run: Run): Promise<string> {
  const path = join(ROOT, PAGE);
  const page = await readFile(path, "utf8");
  await writeFile(
    path,
    fillPage(PAGE, page, (name) => (name === PLACE ? describeRun(run) : undefined)),
  );
  return PAGE;
}

/** As a table, and the tests that were skipped below it. */
export function describeRun({ counts, toolchains, missing, ms, date }: Run): string {
  const rows = [
    ["date", date.toISOString().slice(0, 10)],
    ["outcome", summaryLine(counts)],
    ["duration", `${Math.round(ms / 60_000)} min`],
    ["machine", `${process.platform}, ${arch()}, ${availableParallelism()} processors`],
    ["toolchains", [`Node ${process.versions.node}`, ...toolchains].join(", ")],
    ["without", missing.length === 0 ? "none is missing" : missing.map(({ name }) => name).join(", ")],
  ] as const;
  const width = Math.max(...rows.map(([, value]) => value.length));
  const line = (name: string, value: string): string => `| ${name.padEnd(10)} | ${value.padEnd(width)} |`;
  return [
    line("", "last full run"),
    `| ${"-".repeat(10)} | ${"-".repeat(width)} |`,
    ...rows.map(([name, value]) => line(name, value)),
    ...missing.flatMap(({ name, tests }) => ["", `Without ${name}, skipped:`, "", ...tests.map((test) => `- ${test}`)]),
  ].join("\n");
}
