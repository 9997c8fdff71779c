/**
 * Checks the data of a YAML text against a schema and turns what does not fit into diagnostics: where it is,
 * what is wrong, what to write instead. The `error` of a schema says the last part, as in "write a list of …".
 *
 * @module
 */

import { z } from "zod";
import type { DiagnosticList } from "./diagnostic.ts";
import { nearest } from "./suggestion.ts";
import type { Path, YamlText } from "./yaml-text.ts";

const MAX_SHOWN_LENGTH = 60;
/** A file with more problems than this is a different kind of file. */
const MAX_ISSUES = 100;

type Issue = z.core.$ZodIssue;

/**
 * The value that `schema` makes of `yaml`, or `undefined` after every misfit was reported. `yaml.data` is what the file has at
 * `base`; positions and labels begin at the file's top.
 */
export function checkShape<Value>(
  schema: z.ZodType<Value>,
  yaml: YamlText,
  problems: DiagnosticList,
  base: Path = [],
): Value | undefined {
  // The library's fast path compiles schemas with `new Function`, which no process of the host needs.
  const result = schema.safeParse(yaml.data, { jitless: true });
  if (result.success) return result.data;
  for (const issue of result.error.issues.flatMap((issue) => leavesOf(issue, [])).slice(0, MAX_ISSUES)) {
    reportIssue(issue, { schema, yaml, base }, problems);
  }
  return undefined;
}

/** A union's misfit is told by the branch that got further than the value itself, if one did. */
function leavesOf(issue: Issue, parent: Path): Issue[] {
  const path = [...parent, ...issue.path];
  if (issue.code === "invalid_union") {
    const deeper = issue.errors.find((issues) => issues.some((inner) => inner.path.length > 0));
    if (deeper !== undefined) return deeper.flatMap((inner) => leavesOf(inner, path));
  }
  return [{ ...issue, path }];
}

interface CheckedShape {
  readonly schema: z.ZodType;
  readonly yaml: YamlText;
  readonly base: Path;
}

function reportIssue(issue: Issue, { schema, yaml, base }: CheckedShape, problems: DiagnosticList): void {
  const path = [...base, ...issue.path];
  const label = labelOf(path);
  if (issue.code === "unrecognized_keys") {
    for (const key of issue.keys.slice(0, MAX_ISSUES)) {
      problems.error(yaml.keyAt([...path, key]), describeUnknownKey(key, label, knownKeys(schema, issue.path)));
    }
    return;
  }
  if (issue.code === "invalid_key") {
    const [inner] = issue.issues;
    problems.error(yaml.keyAt(path), `${label}: the key cannot be used; ${inner?.message ?? issue.message}`);
    return;
  }
  problems.error(yaml.valueAt(path), describeValue(issue, label, valueIn(yaml.data, issue.path)));
}

function describeUnknownKey(key: string, parent: string, known: readonly string[]): string {
  const guess = nearest(key, known);
  const where = parent === "" ? "" : ` in ${parent}`;
  const advice = guess === undefined ? `the keys here are ${known.join(", ")}` : `did you mean "${guess}"?`;
  return `unknown key ${show(key)}${where}; ${advice}`;
}

function describeValue(issue: Issue, label: string, value: unknown): string {
  if (issue.code === "custom") return `${label}: ${show(value)} cannot be used; ${issue.message}`;
  if (label === "")
    return value === null ? `the file is empty; ${issue.message}` : `${show(value)} cannot be used; ${issue.message}`;
  if (value === undefined) return `${label} is missing; ${issue.message}`;
  if (value === null) return `${label} is empty; ${issue.message}`;
  const guess =
    issue.code === "invalid_value" && typeof value === "string" ? nearest(value, issue.values.map(String)) : undefined;
  const advice = guess === undefined ? issue.message : `did you mean "${guess}"? Else ${issue.message}`;
  return `${label}: ${show(value)} cannot be used; ${advice}`;
}

/** `plugins[0].name` */
function labelOf(path: Path): string {
  let label = "";
  for (const step of path)
    label += typeof step === "number" ? `[${step}]` : `${label === "" ? "" : "."}${String(step)}`;
  return label;
}

function valueIn(data: unknown, path: Path): unknown {
  let value = data;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value;
}

function show(value: unknown): string {
  // A private key may be in the place of a public one.
  if (typeof value === "string" && value.includes("-----BEGIN ")) return "a block of PEM";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "a map";
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > MAX_SHOWN_LENGTH ? `${text.slice(0, MAX_SHOWN_LENGTH)}…` : text;
}

/** The keys that the object at `path` may have. */
function knownKeys(schema: z.ZodType, path: Path): string[] {
  let at: unknown = unwrap(schema);
  for (const step of path) {
    if (at instanceof z.ZodObject) at = unwrap((at.shape as Record<PropertyKey, unknown>)[step]);
    else if (at instanceof z.ZodArray) at = unwrap(at.element);
    else return [];
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

function unwrap(schema: unknown): unknown {
  if (schema instanceof z.ZodOptional) return unwrap(schema.unwrap());
  if (schema instanceof z.ZodPipe) return unwrap(schema.in);
  // Of a text or a map, only the map has keys.
  if (schema instanceof z.ZodUnion) return schema.options.find((option) => option instanceof z.ZodObject) ?? schema;
  return schema;
}
