/**
 * The results as JUnit XML, the form that CI servers read. Pure.
 *
 * @see https://github.com/testmoapp/junitxml
 * @module
 */

import { formatDiagnostic } from "../config/diagnostic.ts";
import { shortPath } from "../config/short-path.ts";
import type { DifferenceLine } from "./difference.ts";
import {
  type CaseResult,
  type FailedStep,
  failureTitle,
  type FileResult,
  type LeftOutCase,
  leftOutReason,
} from "./run-tests.ts";

/** How each kind of line begins in plain text. */
export const LINE_SIGNS = {
  same: "  ",
  expected: "- ",
  received: "+ ",
  remark: "  ",
} as const satisfies Record<DifferenceLine["kind"], string>;

/** The document. */
export function junitXml(results: readonly FileResult[]): string {
  const suites = results.map(suiteOf);
  const sum = (of: (suite: Suite) => number): number => suites.reduce((total, suite) => total + of(suite), 0);
  const totals = attributes({
    name: "network-host test",
    tests: sum(({ tests }) => tests),
    failures: sum(({ failures }) => failures),
    errors: sum(({ errors }) => errors),
    skipped: sum(({ skipped }) => skipped),
    time: seconds(sum(({ durationMs }) => durationMs)),
  });
  const body = suites.map(({ xml }) => xml).join("");
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites${totals}>\n${body}</testsuites>\n`;
}

interface Suite {
  readonly tests: number;
  readonly failures: number;
  readonly errors: number;
  readonly skipped: number;
  readonly durationMs: number;
  readonly xml: string;
}

function suiteOf(result: FileResult): Suite {
  const { file } = result.file.document;
  if (result.kind === "unloaded") {
    const { code, message } = result.error;
    const error = `<error${attributes({ type: code, message: message.split("\n")[0] ?? "" })}>${escaped(message)}</error>`;
    const only = `    <testcase${attributes({ name: "the plugin is loaded", classname: file, time: "0.000" })}>${error}</testcase>\n`;
    return suite({ tests: 1, failures: 0, errors: 1, skipped: 0, durationMs: 0 }, file, only);
  }
  const failures = result.cases.filter((one) => one.failures.length > 0).length;
  const durationMs = result.cases.reduce((total, one) => total + one.durationMs, 0);
  const skipped = result.leftOut.length;
  const counts = { tests: result.cases.length + skipped, failures, errors: 0, skipped, durationMs };
  const component = shortPath(result.file.componentPath);
  const properties = [
    ["component", component],
    ["engine", result.engine],
    ...result.levels.map(({ level, operations }) => [`level ${level}`, `${operations} operations`]),
  ].map(([name = "", value = ""]) => `      <property${attributes({ name, value })}/>\n`);
  const head = `    <properties>\n${properties.join("")}    </properties>\n`;
  const cases = [
    ...result.cases.map((one) => caseXml(file, one)),
    ...result.leftOut.map((one) => leftOutXml(file, one)),
  ];
  return suite(counts, file, head + cases.join(""));
}

function suite(counts: Omit<Suite, "xml">, file: string, body: string): Suite {
  const { durationMs, ...numbers } = counts;
  const xml = `  <testsuite${attributes({ name: file, file, ...numbers, time: seconds(durationMs) })}>\n${body}  </testsuite>\n`;
  return { ...counts, xml };
}

function caseXml(file: string, { test, durationMs, failures }: CaseResult): string {
  const facts = attributes({
    name: test.name,
    classname: file,
    time: seconds(durationMs),
  });
  if (failures.length === 0) return `    <testcase${facts}/>\n`;
  const [failed] = failures;
  const first = failed === undefined ? "" : failureTitle(failed, failed.mismatches[0]?.what ?? "");
  const said = failures.flatMap((failure) => failureLines(file, failure)).join("\n");
  const failure = `<failure${attributes({ type: "mismatch", message: first })}>${escaped(said)}</failure>`;
  const log = failures.flatMap((one) => one.log.map(({ level, text }) => `${level}: ${text}`)).join("\n");
  const output = log === "" ? "" : `<system-out>${escaped(log)}</system-out>`;
  return `    <testcase${facts}>${failure}${output}</testcase>\n`;
}

function leftOutXml(file: string, { test, missing }: LeftOutCase): string {
  const facts = attributes({ name: test.name, classname: file, time: seconds(0) });
  return `    <testcase${facts}><skipped${attributes({ message: leftOutReason({ missing }) })}/></testcase>\n`;
}

/** A failure as plain lines. */
function failureLines(file: string, failed: FailedStep): string[] {
  return failed.mismatches.flatMap(({ position, what, difference }) => {
    const message = failureTitle(failed, what);
    const head = formatDiagnostic({ severity: "error", file, ...position, message });
    return [head, ...difference.map(({ kind, text }) => `  ${LINE_SIGNS[kind]}${text}`)];
  });
}

function seconds(durationMs: number): string {
  return (durationMs / 1_000).toFixed(3);
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escaped(String(value)).replaceAll("\n", "&#10;")}"`)
    .join("");
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** XML 1.0 has no form at all for these, not even an escaped one. */
// eslint-disable-next-line no-control-regex -- they are what it is about
const NOT_XML = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;

function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(NOT_XML, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`)
    .replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}
