/**
 * What went wrong, told in few lines at the very end: of a long output often nothing but its end is kept.
 *
 * @module
 */

import { isAbsolute, relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { ROOT } from "../lib/project.ts";

/** One thing that went wrong: a test, a hook, a file, or what belongs to none of them. */
export interface Failure {
  /** Project, file and full title, as far as there are such. */
  readonly where: string;
  /** What is known of the cause, the most telling first. */
  readonly lines: readonly string[];
}

/** What is read of an error that vitest passes on. Anything may have been thrown. */
export interface ThrownError {
  readonly name?: string;
  readonly message?: string;
  readonly diff?: string;
  readonly stack?: string;
  readonly stacks?: readonly { readonly file: string; readonly line: number; readonly column: number }[];
  readonly cause?: unknown;
}

/** The whole report: what keeps the last 40 lines of an output keeps it whole. */
const REPORT_LINES = 36;
const ERROR_LINES = 12;
const LINE_CHARACTERS = 240;
/** Causes of causes: no chain of errors is that long, unless it is a ring. */
const CAUSES = 4;

/** The first lines of errors: what they say, how that differs from what was expected, and where they were thrown. */
export function describeErrors(errors: readonly ThrownError[]): string[] {
  return errors.flatMap((error) => describeError(error, CAUSES)).slice(0, ERROR_LINES);
}

function describeError({ name, message, diff, stack, stacks, cause }: ThrownError, causes: number): string[] {
  const said = linesOf(`${name === undefined ? "" : `${name}: `}${message ?? ""}`);
  const [frame] = stacks ?? [];
  const place = frame === undefined ? firstFrame(stack) : `${projectPath(frame.file)}:${frame.line}:${frame.column}`;
  const below = causes > 0 && typeof cause === "object" && cause !== null ? describeError(cause, causes - 1) : [];
  return [
    ...said.slice(0, ERROR_LINES / 2),
    ...(place === undefined ? [] : [`at ${place}`]),
    ...below.map((line, at) => (at === 0 ? `caused by ${line}` : line)),
    ...linesOf(diff ?? ""),
  ];
}

/** Where a stack begins that vitest has not taken apart, or in which it found nothing of the tests' own. */
function firstFrame(stack: string | undefined): string | undefined {
  return /^ +at (.+)$/m.exec(stack ?? "")?.[1];
}

/** A path as it is written within the project; another one stays as it is. */
export function projectPath(path: string): string {
  const within = relative(ROOT, path);
  return isAbsolute(path) && !within.startsWith("..") ? within : path;
}

/** Lines that say something, without colours, each of bounded length. */
export function linesOf(text: string): string[] {
  const lines = stripVTControlCharacters(text).split(/\r?\n/);
  return lines.filter((line) => line.trim() !== "").map((line) => line.trimEnd().slice(0, LINE_CHARACTERS));
}

/**
 * All failures as lines, none where nothing failed. The more there are, the less is said of each; where there are too many,
 * the rest is counted.
 */
export function failureReport(failures: readonly Failure[]): string[] {
  if (failures.length === 0) return [];
  const room = REPORT_LINES - 1;
  const named = failures.length <= room ? failures : failures.slice(0, room - 1);
  const linesOfEach = Math.min(ERROR_LINES, Math.floor(room / named.length) - 1);
  const rest = failures.length - named.length;
  return [
    "What failed:",
    ...named.flatMap(({ where, lines }) => failureLines(where, lines.slice(0, linesOfEach))),
    ...(rest === 0 ? [] : [`  and ${rest} more`]),
  ];
}

function failureLines(where: string, lines: readonly string[]): string[] {
  const title = where.replaceAll(/\s+/g, " ").slice(0, LINE_CHARACTERS);
  return [`  ${title}`, ...lines.map((line) => `      ${line}`)];
}
