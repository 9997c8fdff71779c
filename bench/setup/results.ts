/**
 * Where a run keeps its files: a folder that is gone afterwards, and one of everything that was measured.
 *
 * @module
 */

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ROOT } from "../../scripts/lib/project.ts";

const RESULTS_FOLDER = fileURLToPath(new URL("../results/", import.meta.url));

/** Progress goes to stderr: stdout is for results. */
export function report(line: string): void {
  console.error(line);
}

/** @returns a folder for a run's files; whoever owns the stack removes it. */
export async function openFolder(owned: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "network-host-bench-"));
  owned.defer(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a run's files into a folder of their own. @returns the folder. */
export async function writeResults(files: ReadonlyMap<string, string>): Promise<string> {
  const folder = join(RESULTS_FOLDER, new Date().toISOString().replaceAll(/[:.]/g, "-"));
  await mkdir(folder, { recursive: true });
  for (const [name, content] of files) await writeFile(join(folder, name), content);
  return folder;
}

/**
 * Writes what was measured, the report of it, and charts by their names.
 *
 * @returns the folder
 */
export async function writeRun(
  measured: unknown,
  text: string,
  charts: ReadonlyMap<string, string> = new Map(),
): Promise<string> {
  return await writeResults(new Map([["results.json", asJson(measured)], ["report.md", `${text}\n`], ...charts]));
}

/** Writes charts where docs/performance.md shows them. */
export async function publishCharts(charts: ReadonlyMap<string, string>): Promise<void> {
  for (const [name, content] of charts) await writeFile(join(ROOT, "docs", `performance-${name}`), content);
}

export function asJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
