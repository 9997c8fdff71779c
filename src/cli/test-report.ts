/**
 * The results of tests as text for a terminal: a line for each case, below a failed one what differs and where its file says
 * so, then the levels that the plugin requests and never used.
 *
 * @module
 */

import { formatDiagnostic } from "../config/diagnostic.ts";
import { printableLine, printableText } from "../telemetry/plugin-text.ts";
import { counted, type DifferenceLine } from "../testing/difference.ts";
import { LINE_SIGNS } from "../testing/junit.ts";
import {
  type CaseResult,
  type FailedStep,
  failureTitle,
  type FileResult,
  type LeftOutCase,
  type LevelUse,
  type LoadedFile,
} from "../testing/run-tests.ts";
import { type OutputStream, type Style, shownPath, styled } from "./terminal.ts";

const LINE_STYLES = {
  same: "quiet",
  expected: "good",
  received: "bad",
  remark: "quiet",
} as const satisfies Record<DifferenceLine["kind"], Style>;

/** Lines of a failed request's log that are shown. */
const MAX_LOG_LINES = 20;
const MAX_LINE_CHARS = 400;
/** What takes longer than this is worth a figure. */
const SLOW_MS = 100;

/** The line above a file's cases. */
export function loadedText({ file, engine, loadMs }: LoadedFile, stream: OutputStream): string {
  const facts = `${shownPath(file.componentPath)} on the ${engine} engine, loaded in ${shortTime(loadMs)}`;
  return `${styled(stream, "strong", file.document.file)}  ${styled(stream, "quiet", printableLine(facts, MAX_LINE_CHARS))}\n`;
}

/** The line of a case, and below it what differs. */
export function caseText(file: string, { test, durationMs, runs, failures }: CaseResult, stream: OutputStream): string {
  const facts = [
    ...(test.runs.length > 1 ? [runs < test.runs.length ? `${runs} of ${test.runs.length} runs` : `${runs} runs`] : []),
    ...(durationMs >= SLOW_MS ? [shortTime(durationMs)] : []),
  ];
  const time = facts.length === 0 ? "" : styled(stream, "quiet", `  ${facts.join(", ")}`);
  const name = printableLine(test.name, MAX_LINE_CHARS);
  if (failures.length === 0) return `  ${styled(stream, "good", "ok")}    ${name}${time}\n`;
  const said = failures.flatMap((failure) => failureLines(file, failure, stream));
  return [`  ${styled(stream, "bad", "FAIL")}  ${name}${time}`, ...said, ""].join("\n");
}

function failureLines(file: string, failed: FailedStep, stream: OutputStream): string[] {
  const { mismatches, log } = failed;
  const lines: string[] = [];
  for (const { position, what, difference } of mismatches) {
    const message = printableLine(failureTitle(failed, what), MAX_LINE_CHARS);
    lines.push(`        ${formatDiagnostic({ severity: "error", file, ...position, message })}`);
    for (const { kind, text } of difference)
      lines.push(
        `          ${styled(stream, LINE_STYLES[kind], `${LINE_SIGNS[kind]}${printableLine(text, MAX_LINE_CHARS)}`)}`,
      );
  }
  if (log.length === 0) return lines;
  lines.push(styled(stream, "quiet", "        The log of this request:"));
  for (const { level, text } of log.slice(0, MAX_LOG_LINES))
    lines.push(styled(stream, "quiet", `          ${level}: ${printableLine(text, MAX_LINE_CHARS)}`));
  if (log.length > MAX_LOG_LINES)
    lines.push(styled(stream, "quiet", `          … ${counted(log.length - MAX_LOG_LINES, "more line")}`));
  return lines;
}

/** What is below a file's cases. */
export function endText(result: FileResult, stream: OutputStream): string {
  if (result.kind === "unloaded") {
    const { file, error } = result;
    const head = `${styled(stream, "strong", file.document.file)}  ${styled(stream, "quiet", shownPath(file.componentPath))}`;
    const said = printableText(error.message).replaceAll("\n", "\n        ");
    return `${head}\n  ${styled(stream, "bad", "FAIL")}  the plugin cannot be loaded\n        ${error.code}: ${said}\n`;
  }
  const lines = result.levels.filter(({ operations }) => operations === 0).map((use) => unusedText(use, stream));
  const used = result.levels.filter(({ operations }) => operations > 0);
  if (used.length > 0) {
    const list = used.map(({ level, operations }) => `${level} ${counted(operations, "operation")}`).join(", ");
    lines.unshift(styled(stream, "quiet", `  levels used: ${list}`));
  }
  lines.push(...leftOutLines(result.leftOut).map((line) => styled(stream, "quiet", line)));
  return lines.map((line) => `${line}\n`).join("");
}

/** By the levels that are missing; what was not asked for needs no word. */
function leftOutLines(leftOut: readonly LeftOutCase[]): string[] {
  const unrequested = leftOut.filter(({ missing }) => missing.length > 0);
  return Map.groupBy(unrequested, ({ missing }) => missing.join(" and "))
    .entries()
    .map(
      ([levels, { length }]) =>
        `  left out: ${counted(length, "case")} that ${length === 1 ? "needs" : "need"} ${levels}, which the component does not request`,
    )
    .toArray();
}

function unusedText({ level }: LevelUse, stream: OutputStream): string {
  return styled(stream, "warning", `  never used: the plugin requests ${level}, and no case used it`);
}

/** The last line. */
export function summaryText(results: readonly FileResult[], durationMs: number, stream: OutputStream): string {
  const cases = results.flatMap((result) => (result.kind === "ran" ? result.cases : []));
  const failed = cases.filter(({ failures }) => failures.length > 0).length;
  const unloaded = results.filter(({ kind }) => kind === "unloaded").length;
  const skipped = results.reduce((sum, result) => sum + (result.kind === "ran" ? result.leftOut.length : 0), 0);
  const parts = [
    styled(stream, "good", `${cases.length - failed} passed`),
    ...(failed > 0 ? [styled(stream, "bad", `${failed} failed`)] : []),
    ...(unloaded > 0 ? [styled(stream, "bad", `${counted(unloaded, "plugin")} not loaded`)] : []),
    ...(skipped > 0 ? [`${skipped} left out`] : []),
  ];
  return `\n${counted(cases.length, "case")}: ${parts.join(", ")}, in ${shortTime(durationMs)}\n`;
}

/** `8 ms`, `1.2 s`. */
function shortTime(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
