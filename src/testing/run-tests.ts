/**
 * Runs the cases of a test file: loads the plugin once, plays one scene after another, sends each scene's requests in order.
 *
 * @module
 */

import type { TestCase, TestRun, TestStep } from "../config/test-case.ts";
import type { AccessLevel } from "../contract/access-levels.ts";
import type { EngineChoice, EngineName } from "../contract/artifact.ts";
import { type HostError, toHostError } from "../errors/host-error.ts";
import type { LoggedLine } from "./captured-log.ts";
import { checkScene, checkStep, type Mismatch } from "./check-case.ts";
import type { TestFile } from "./test-files.ts";
import { TestedPlugin } from "./tested-plugin.ts";

/** What a run needs beside the files. */
export interface RunOptions {
  readonly engine: EngineChoice;
  readonly cacheDir: string;
  /** Which cases are run. By default all. */
  readonly isWanted?: (name: string) => boolean;
  /** Called when the plugin is loaded, before its first case. */
  readonly loaded?: (loaded: LoadedFile) => void;
  /** Called after each case. */
  readonly ended?: (result: CaseResult) => void;
}

export interface LoadedFile {
  readonly file: TestFile;
  readonly engine: EngineName;
  readonly loadMs: number;
}

/** A request that was not answered as expected, or after which something else was not as expected. */
export interface FailedStep {
  /** The values of the case's variables, if it has some. */
  readonly values: string | undefined;
  /** Counts from 1; `undefined` for the case as a whole. */
  readonly step: number | undefined;
  readonly mismatches: readonly Mismatch[];
  /** What the plugin and the host logged during the request. */
  readonly log: readonly LoggedLine[];
}

export interface CaseResult {
  readonly test: TestCase;
  readonly durationMs: number;
  /** How often it ran: of a case with variables, what follows the first {@link MAX_FAILED_RUNS} failed runs is not run. */
  readonly runs: number;
  /** Empty if it passed. */
  readonly failures: readonly FailedStep[];
}

/** Failed runs of one case after which it ends: more of them tell nothing new, and each may take its whole deadline. */
const MAX_FAILED_RUNS = 5;

/** A case that was not run. */
export interface LeftOutCase {
  readonly test: TestCase;
  /** Levels that it needs and the plugin does not request. Empty if it was not asked for. */
  readonly missing: readonly AccessLevel[];
}

/** Why, for people. */
export function leftOutReason({ missing }: Pick<LeftOutCase, "missing">): string {
  return missing.length === 0
    ? "it was not asked for"
    : `it needs ${missing.join(" and ")}, which the component does not request`;
}

/** How a requested level was used. */
export interface LevelUse {
  readonly level: AccessLevel;
  /** Operations that the level allowed. */
  readonly operations: number;
}

export type FileResult =
  | {
      readonly kind: "ran";
      readonly file: TestFile;
      readonly engine: EngineName;
      readonly loadMs: number;
      readonly cases: readonly CaseResult[];
      readonly leftOut: readonly LeftOutCase[];
      /** Of each level that the plugin requests; where not all cases were wanted, of those that were used. */
      readonly levels: readonly LevelUse[];
    }
  /** The plugin could not be loaded. */
  | { readonly kind: "unloaded"; readonly file: TestFile; readonly error: HostError };

/** Runs a file. Rejects only for a bug. */
export async function runTestFile(file: TestFile, options: RunOptions): Promise<FileResult> {
  const { isWanted = () => true } = options;
  const startedMs = performance.now();
  let opened: TestedPlugin;
  try {
    opened = await openPlugin(file, options);
  } catch (thrown) {
    const error = toHostError(thrown);
    if (error.row.fault === "bug") throw error;
    return { kind: "unloaded", file, error };
  }
  await using plugin = opened;
  const { engine } = plugin;
  const loadMs = performance.now() - startedMs;
  options.loaded?.({ file, engine, loadMs });
  const requested = new Set(plugin.requested);
  const missingOf = ({ needs }: TestCase): AccessLevel[] => needs.filter((level) => !requested.has(level));
  const [wanted, unwanted] = partition(file.document.cases, ({ name }) => isWanted(name));
  const [run, unrequested] = partition(wanted, (test) => missingOf(test).length === 0);
  const leftOut = [
    ...unwanted.map((test) => ({ test, missing: [] })),
    ...unrequested.map((test) => ({ test, missing: missingOf(test) })),
  ];
  const cases: CaseResult[] = [];
  for (const test of run) {
    const result = await runCase(plugin, test);
    cases.push(result);
    options.ended?.(result);
  }
  const { usedLevels } = plugin;
  const levels = plugin.requested
    .map((level) => ({ level, operations: usedLevels[level] }))
    // That some of the cases did not use it says nothing.
    .filter(({ operations }) => operations > 0 || options.isWanted === undefined);
  return { kind: "ran", file, engine, loadMs, cases, leftOut, levels };
}

function partition<Value>(values: readonly Value[], isFirst: (value: Value) => boolean): [Value[], Value[]] {
  return [values.filter(isFirst), values.filter((value) => !isFirst(value))];
}

async function openPlugin(file: TestFile, { engine, cacheDir }: RunOptions): Promise<TestedPlugin> {
  const { document, name, componentPath, policy } = file;
  const exchanges = document.cases.flatMap(({ runs }) => runs.flatMap(({ scene }) => scene.exchanges));
  const urls = exchanges.map(({ request }) => request.url);
  const hosts = [...new Set(urls.map((url) => new URL(url).origin))];
  return await TestedPlugin.open({ name, componentPath, policy, hosts, limits: document.limits, engine, cacheDir });
}

async function runCase(plugin: TestedPlugin, test: TestCase): Promise<CaseResult> {
  const startedMs = performance.now();
  const failures: FailedStep[] = [];
  let [runs, failed] = [0, 0];
  while (runs < test.runs.length && failed < MAX_FAILED_RUNS) {
    const found = await runOnce(plugin, test, test.runs[runs] as TestRun);
    runs += 1;
    if (found.length > 0) failed += 1;
    failures.push(...found);
  }
  return { test, durationMs: performance.now() - startedMs, runs, failures };
}

async function runOnce(plugin: TestedPlugin, test: TestCase, run: TestRun): Promise<FailedStep[]> {
  const { values, steps } = run;
  const scene = plugin.play(run.scene);
  const failures: FailedStep[] = [];
  let log: readonly LoggedLine[] = [];
  let done = 0;
  // What follows a failure builds on it.
  while (done < steps.length && failures.length === 0) {
    const step = steps[done] as TestStep;
    const reply = await plugin.request(step.request);
    const mismatches = checkStep(step, reply, scene);
    log = reply.log.lines;
    done += 1;
    if (mismatches.length > 0) failures.push({ values, step: steps.length > 1 ? done : undefined, mismatches, log });
  }
  const mismatches = checkScene(test, run, scene, done === steps.length ? "ended" : "broken-off");
  // First: what happened around the plugin is often why it answers otherwise.
  if (mismatches.length > 0)
    failures.unshift({ values, step: undefined, mismatches, log: failures.length === 0 ? log : [] });
  scene.end();
  return failures;
}

/** What a failure begins with: which values it was, and which step. */
export function failureTitle({ values, step }: FailedStep, what: string): string {
  const withValues = values === undefined ? "" : `with ${values}: `;
  return `${withValues}${step === undefined ? "" : `step ${step}: `}${what}`;
}
