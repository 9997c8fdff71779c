/**
 * Which cases of a test file have an `each:` that can be used. What is wrong with one is told where it is used; that its shape
 * does not fit, by the schema of the whole file.
 *
 * @module
 */

import { FIXED_LIMITS } from "../contract/limits.ts";
import type { DiagnosticList } from "./diagnostic.ts";
import { combinations, countOf, eachSchema, type Rows, fillCase } from "./test-each.ts";
import type { YamlText } from "./yaml-text.ts";

/** A case that runs once for each combination of values. */
export interface RepeatedCase {
  readonly rows: Rows;
  /** As the file has it. */
  readonly data: object;
  /** With the values of the first run. */
  readonly first: unknown;
}

/** By the case's index. */
export type RepeatedCases = ReadonlyMap<number, RepeatedCase>;

/** The cases with variables. Problems go to `problems`. */
export function readRepeated(yaml: YamlText, problems: DiagnosticList): RepeatedCases {
  const repeated = new Map<number, RepeatedCase>();
  let runs = 0;
  for (const [index, data] of casesOf(yaml.data).entries()) {
    runs += 1;
    if (typeof data !== "object" || data === null || !("each" in data)) continue;
    const parsed = eachSchema.safeParse(data.each, { jitless: true });
    const [values] = parsed.success ? combinations(parsed.data) : [];
    if (!parsed.success || values === undefined) continue;
    const filled = fillCase(data, values);
    const path = ["cases", index];
    for (const { path: below, message } of filled.problems) problems.error(yaml.valueAt([...path, ...below]), message);
    for (const name of filled.unused)
      problems.error(
        yaml.keyAt([...path, "each", 0, name]),
        `nothing in the case is \${${name}}; remove it, or use it`,
      );
    repeated.set(index, { rows: parsed.data, data, first: filled.data });
    runs += countOf(parsed.data) - 1;
  }
  if (runs > FIXED_LIMITS.testRuns)
    problems.error(yaml.keyAt(["cases"]), `the cases have ${runs} runs; write at most ${FIXED_LIMITS.testRuns}`);
  return repeated;
}

/** The file's data with the first values in the place of variables. */
export function withFirstValues(data: unknown, repeated: RepeatedCases): unknown {
  if (repeated.size === 0) return data;
  return { ...(data as object), cases: casesOf(data).map((one, index) => repeated.get(index)?.first ?? one) };
}

function casesOf(data: unknown): readonly unknown[] {
  const cases = typeof data === "object" && data !== null && "cases" in data ? data.cases : [];
  return Array.isArray(cases) ? cases : [];
}
