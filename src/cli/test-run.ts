/**
 * One run of `network-host test`: reads the test files, runs them one after another, and writes what came of it.
 *
 * @module
 */

import { writeFile } from "node:fs/promises";
import type { EngineChoice } from "../contract/artifact.ts";
import { HostError } from "../errors/host-error.ts";
import { junitXml } from "../testing/junit.ts";
import { type FileResult, runTestFile } from "../testing/run-tests.ts";
import { findTestFiles, loadTestFile, type TestFile } from "../testing/test-files.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { Terminal } from "./terminal.ts";
import { write } from "./terminal.ts";
import { caseText, endText, loadedText, summaryText } from "./test-report.ts";

/** What is run, and how. */
export interface TestRunOptions {
  /** Absolute paths; empty for all below the working folder. */
  readonly files: readonly string[];
  /** `conformance`: every level that a component requests has to be used, since the cases use them all. */
  readonly suite: "own" | "conformance";
  /** Absolute path; goes before the component that a file names. */
  readonly component: string | undefined;
  readonly engine: EngineChoice;
  readonly cacheDir: string;
  /** A text that the names of cases have to contain. */
  readonly filter: string | undefined;
  /** Absolute path. */
  readonly junit: string | undefined;
  readonly format: "text" | "json";
}

/** Told what a run depends on, by absolute paths: before the files are read, and with what they name before it is used. */
export type WatchPaths = (paths: ReadonlySet<string>) => Promise<void>;

/**
 * Runs the tests; the result is the exit code.
 *
 * @throws HostError `config-invalid` or `usage-invalid`
 */
export async function runTests(
  options: TestRunOptions,
  terminal: Terminal,
  watchPaths: WatchPaths = () => Promise.resolve(),
): Promise<ExitCode> {
  const startedMs = performance.now();
  const files = await loadFiles(options, watchPaths);
  const results: FileResult[] = [];
  for (const file of files) results.push(await runFile(file, options, terminal));
  const cases = results.flatMap((result) => (result.kind === "ran" ? result.cases : []));
  const isUnloaded = results.some(({ kind }) => kind === "unloaded");
  if (cases.length === 0 && !isUnloaded) throw new HostError("usage-invalid", nothingRan(options));
  await report(results, options, performance.now() - startedMs, terminal);
  const isIdle = options.suite === "conformance" && results.some(hasUnusedLevel);
  const isFailed = isUnloaded || isIdle || cases.some(({ failures }) => failures.length > 0);
  return isFailed ? EXIT.failed : EXIT.ok;
}

function nothingRan({ filter }: TestRunOptions): string {
  return filter === undefined
    ? "no case was run: the plugin requests none of the levels that the cases need"
    : `--filter ${JSON.stringify(filter)}: no case has this text in its name`;
}

function hasUnusedLevel(result: FileResult): boolean {
  return result.kind === "ran" && result.levels.some(({ operations }) => operations === 0);
}

/** All of them, so that what is wrong with several is said at once. */
async function loadFiles({ files, component }: TestRunOptions, watchPaths: WatchPaths): Promise<TestFile[]> {
  const paths = files.length > 0 ? files : await findTestFiles(process.cwd());
  const dependsOn = new Set(paths);
  await watchPaths(dependsOn);
  if (paths.length === 0)
    throw new HostError("usage-invalid", "there is no *.test.yaml here or below; write one or name a file");
  const loaded: TestFile[] = [];
  const problems: string[] = [];
  for (const path of paths) {
    try {
      const file = await loadTestFile(path, component);
      for (const each of file.dependsOn) dependsOn.add(each);
      loaded.push(file);
    } catch (error) {
      if (!(error instanceof HostError) || error.code !== "config-invalid") throw error;
      problems.push(error.message);
    }
  }
  await watchPaths(dependsOn);
  if (problems.length > 0) throw new HostError("config-invalid", problems.join("\n"));
  return loaded;
}

async function runFile(file: TestFile, options: TestRunOptions, { stdout }: Terminal): Promise<FileResult> {
  const { engine, cacheDir, filter, format } = options;
  const say = (text: string): void => {
    if (format === "text") stdout.write(text);
  };
  const result = await runTestFile(file, {
    engine,
    cacheDir,
    ...(filter !== undefined && { isWanted: (name: string) => name.includes(filter) }),
    loaded: (loaded) => say(loadedText(loaded, stdout)),
    ended: (ended) => say(caseText(file.document.file, ended, stdout)),
  });
  say(endText(result, stdout));
  return result;
}

async function report(
  results: readonly FileResult[],
  { junit, format }: TestRunOptions,
  durationMs: number,
  { stdout }: Terminal,
): Promise<void> {
  if (junit !== undefined) {
    try {
      await writeFile(junit, junitXml(results));
    } catch (error) {
      throw new HostError("output-failed", `--junit ${junit}: ${(error as Error).message}`, { cause: error });
    }
  }
  await write(
    stdout,
    format === "json" ? `${JSON.stringify(toJson(results))}\n` : summaryText(results, durationMs, stdout),
  );
}

function toJson(results: readonly FileResult[]): Record<string, unknown> {
  const isPassed = (result: FileResult): boolean =>
    result.kind === "ran" && result.cases.every(({ failures }) => failures.length === 0);
  return { ok: results.every(isPassed), files: results.map(fileJson) };
}

function fileJson(result: FileResult): Record<string, unknown> {
  const { document, componentPath, name } = result.file;
  const shared = { file: document.file, plugin: name, component: componentPath };
  if (result.kind === "unloaded") {
    const { code, message } = result.error;
    return { ...shared, engine: null, cases: [], skipped: 0, leftOut: [], levels: [], error: { code, message } };
  }
  const { engine, loadMs, cases, leftOut, levels } = result;
  return {
    ...shared,
    engine,
    loadMs,
    cases: cases.map(({ test, durationMs, runs, failures }) => ({
      name: test.name,
      line: test.position.line,
      runs,
      durationMs,
      ok: failures.length === 0,
      failures: failures.flatMap(({ values, step, mismatches }) =>
        mismatches.map(({ position, what, difference }) => ({
          values: values ?? null,
          step: step ?? null,
          ...position,
          what,
          difference,
        })),
      ),
    })),
    skipped: leftOut.length,
    leftOut: leftOut.map(({ test, missing }) => ({ name: test.name, line: test.position.line, missing })),
    levels,
    error: null,
  };
}
