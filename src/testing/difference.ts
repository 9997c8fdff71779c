/**
 * How something differs from what was expected, as lines: for texts line by line, for JSON in a form with one value a line,
 * for other bytes as a dump around the first difference. Every line is printable and of bounded length, and there are never
 * more than a screenful. Pure.
 *
 * @module
 */

import { isUtf8 } from "node:buffer";
import { diff } from "node:util";
import { printableLine } from "../telemetry/plugin-text.ts";

/** A line of a difference: in both, in what was expected alone, in what came alone; or a remark. */
export interface DifferenceLine {
  readonly kind: "same" | "expected" | "received" | "remark";
  readonly text: string;
}

/** Longer lines are cut. */
const MAX_LINE_CHARS = 400;
/** Characters before the first difference that a cut line shows. */
const LEAD_CHARS = 60;
/** Lines that are compared: the search's cost grows with their product. */
const MAX_COMPARED_LINES = 2_000;
const MAX_SHOWN_LINES = 60;
/** Equal lines around different ones. */
const CONTEXT_LINES = 3;
const DUMP_BYTES = 16;
/** Lines of a dump from the first difference on. */
const DUMP_LINES = 4;

/** The difference of two values that are not equal. */
export function differenceOfBytes(expected: Uint8Array, received: Uint8Array): DifferenceLine[] {
  if (isText(expected) && isText(received)) return differenceOfTexts(textOf(expected), textOf(received));
  return differenceOfDumps(expected, received);
}

/** The same of texts. */
export function differenceOfTexts(expected: string, received: string): DifferenceLine[] {
  if (!expected.includes("\n") && !received.includes("\n")) {
    const at = firstDifference(expected, received);
    return [
      { kind: "expected", text: excerpt(expected, at) },
      { kind: "received", text: excerpt(received, at) },
    ];
  }
  return differenceOfLines(expected.split("\n").map(visibleEnd), received.split("\n").map(visibleEnd));
}

/** The same of values of JSON. */
export function differenceOfJson(expected: unknown, received: unknown): DifferenceLine[] {
  return differenceOfLines(jsonLines(expected), jsonLines(received));
}

/** The same of lists of lines. */
export function differenceOfLines(expected: readonly string[], received: readonly string[]): DifferenceLine[] {
  if (Math.max(expected.length, received.length) > MAX_COMPARED_LINES) return differenceOfLongLists(expected, received);
  const lines = diff(received, expected).map(([side, line]): DifferenceLine => {
    const text = printableLine(line, MAX_LINE_CHARS);
    if (side === 0) return { kind: "same", text };
    return { kind: side === 1 ? "received" : "expected", text };
  });
  return shown(withExpectedFirst(lines));
}

/** A value in one line: a text in quotes, other bytes as hexadecimal digits. */
export function shortly(bytes: Uint8Array): string {
  if (isText(bytes)) return excerpt(textOf(bytes), 0);
  const some = Buffer.from(bytes.subarray(0, DUMP_BYTES)).toString("hex");
  return `0x${some}${bytes.length > DUMP_BYTES ? `… (${bytes.length} bytes)` : ""}`;
}

function differenceOfLongLists(expected: readonly string[], received: readonly string[]): DifferenceLine[] {
  const at = expected.findIndex((line, index) => line !== received[index]);
  const first = at === -1 ? expected.length : at;
  const some = (lines: readonly string[], kind: "expected" | "received"): DifferenceLine[] =>
    lines.slice(first, first + CONTEXT_LINES).map((line) => ({ kind, text: printableLine(line, MAX_LINE_CHARS) }));
  return [
    {
      kind: "remark",
      text: `first difference in line ${first + 1}; ${expected.length} lines expected, ${received.length} received`,
    },
    ...some(expected, "expected"),
    ...some(received, "received"),
  ];
}

/** Of each block of changes, what was expected before what came. */
function withExpectedFirst(lines: readonly DifferenceLine[]): DifferenceLine[] {
  const ordered: DifferenceLine[] = [];
  let received: DifferenceLine[] = [];
  for (const line of lines) {
    if (line.kind === "received") received.push(line);
    else {
      if (line.kind === "same") {
        ordered.push(...received);
        received = [];
      }
      ordered.push(line);
    }
  }
  return [...ordered, ...received];
}

/** The changes with their surroundings, at most a screenful. */
function shown(lines: readonly DifferenceLine[]): DifferenceLine[] {
  const near = lines.map((_, index) =>
    lines.slice(Math.max(0, index - CONTEXT_LINES), index + CONTEXT_LINES + 1).some(({ kind }) => kind !== "same"),
  );
  const some: DifferenceLine[] = [];
  let left = 0;
  for (const [index, line] of lines.entries()) {
    if (near[index] === true) {
      if (left > 0) some.push(...elided(lines.slice(index - left, index)));
      left = 0;
      some.push(line);
    } else left += 1;
  }
  if (left > 0) some.push(...elided(lines.slice(-left)));
  if (some.length <= MAX_SHOWN_LINES) return some;
  const rest = some.length - MAX_SHOWN_LINES;
  return [...some.slice(0, MAX_SHOWN_LINES), { kind: "remark", text: `… ${counted(rest, "more line")}` }];
}

/** Equal lines, by their number. The word for one would be as long as the line. */
function elided(lines: readonly DifferenceLine[]): readonly DifferenceLine[] {
  return lines.length === 1 ? lines : [{ kind: "remark", text: `… ${counted(lines.length, "equal line")}` }];
}

/** `1 line`, `2 lines`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function differenceOfDumps(expected: Uint8Array, received: Uint8Array): DifferenceLine[] {
  const length = Math.min(expected.length, received.length);
  let at = 0;
  while (at < length && expected[at] === received[at]) at += 1;
  const from = at - (at % DUMP_BYTES);
  const dump = (bytes: Uint8Array, kind: "expected" | "received"): DifferenceLine[] =>
    dumpLines(bytes, from).map((text) => ({ kind, text }));
  return [
    {
      kind: "remark",
      text: `first difference at byte ${at}; ${expected.length} bytes expected, ${received.length} received`,
    },
    ...dump(expected, "expected"),
    ...dump(received, "received"),
  ];
}

function dumpLines(bytes: Uint8Array, from: number): string[] {
  const lines: string[] = [];
  for (let at = from; at < bytes.length && lines.length < DUMP_LINES; at += DUMP_BYTES) {
    const row = Buffer.from(bytes.subarray(at, at + DUMP_BYTES));
    const digits = [...row].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const characters = row.toString("latin1").replaceAll(/[^\x20-\x7e]/g, ".");
    lines.push(`${at.toString(16).padStart(8, "0")}  ${digits.padEnd(DUMP_BYTES * 3 - 1)}  ${characters}`);
  }
  return lines;
}

/** UTF-8 without control characters, but for those of a text of several lines. */
function isText(bytes: Uint8Array): boolean {
  return isUtf8(bytes) && bytes.every((byte) => byte >= 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

function firstDifference(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at += 1) if (one[at] !== other[at]) return at;
  return length;
}

/** The text in quotes; of a long one the part around `at`. */
function excerpt(text: string, at: number): string {
  if (text.length <= MAX_LINE_CHARS) return quoted(text);
  const from = Math.max(0, at - LEAD_CHARS);
  const part = text.slice(from, from + MAX_LINE_CHARS);
  const before = from > 0 ? "…" : "";
  const after = from + MAX_LINE_CHARS < text.length ? "…" : "";
  return `${before}${quoted(part)}${after} (${text.length} characters)`;
}

function quoted(text: string): string {
  return printableLine(JSON.stringify(text), 2 * MAX_LINE_CHARS);
}

/** Blanks at the end of a line would not be seen. */
function visibleEnd(line: string): string {
  return line.replace(/[ \t]+$/, (blanks) => "·".repeat(blanks.length)).replace(/\r$/, "\\r");
}

function jsonLines(value: unknown): string[] {
  return JSON.stringify(sorted(value), undefined, 2).split("\n");
}

/** With the keys of every object in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
