/**
 * `*.test.yaml`: cases for one plugin. Each has what the plugin finds (keys, a store with faults, answers of HTTP servers),
 * the requests that it gets, and what is expected of it. Nothing is expected that the file does not say, with two exceptions:
 * a request is answered by the plugin unless an error is expected, and whatever a case prepares has to be used.
 *
 * @module
 */

import type { BucketName } from "../contract/names.ts";
import type { ErrorCode } from "../errors/table.ts";
import { DiagnosticList, FILE_START, type Parsed, type Position } from "./diagnostic.ts";
import { checkShape } from "./shape.ts";
import type {
  Expectation,
  ExpectedError,
  ExpectedLine,
  KeysByBucket,
  ScriptedExchange,
  StoreFault,
  TestCase,
  TestDocument,
  TestRequest,
  TestRun,
} from "./test-case.ts";
import { combinations, describeValues, fillCase } from "./test-each.ts";
import { readRepeated, type RepeatedCase, withFirstValues } from "./test-repetition.ts";
import {
  type CaseFields,
  caseSchema,
  type ExchangeFields,
  type FaultFields,
  type LineFields,
  testSchema,
} from "./test-schema.ts";
import { type ExpectedText, expectedText, type ReadNamedFile } from "./test-values.ts";
import { type Path, readYaml, type YamlText } from "./yaml-text.ts";

/** Reads a test file's text. Pure, but for what `read` does. */
export function parseTests(source: string, file: string, read: ReadNamedFile): Parsed<TestDocument> {
  const problems = new DiagnosticList(file);
  const yaml = readYaml(source, problems);
  return yaml === undefined ? { kind: "invalid", errors: problems.errors } : parseYaml(yaml, file, read, problems);
}

/** The same of data without a file: every position is that of the beginning. Pure. */
export function parseTestData(data: unknown, label: string): Parsed<TestDocument> {
  const yaml: YamlText = { data, valueAt: () => FILE_START, keyAt: () => FILE_START };
  const noFiles: ReadNamedFile = () => "read the file yourself, and give its bytes";
  return parseYaml(yaml, label, noFiles, new DiagnosticList(label));
}

function parseYaml(yaml: YamlText, file: string, read: ReadNamedFile, problems: DiagnosticList): Parsed<TestDocument> {
  const repeated = readRepeated(yaml, problems);
  // Each of the other runs differs only by the values of its variables.
  const fields = checkShape(testSchema(read), { ...yaml, data: withFirstValues(yaml.data, repeated) }, problems);
  if (fields === undefined || problems.errors.length > 0) return { kind: "invalid", errors: problems.errors };
  const at = (from: Path) => (path: Path) => yaml.keyAt([...from, ...path]);
  const schema = caseSchema(read);
  const cases = fields.cases.map((one, index) => {
    const path = ["cases", index];
    return toCase(one, runsOf(one, repeated.get(index), { schema, yaml, path, at, problems }), path, at);
  });
  if (problems.errors.length > 0) return { kind: "invalid", errors: problems.errors };
  const value: TestDocument = {
    file,
    component: fields.component,
    plugin: fields.plugin,
    policy: fields.policy,
    limits: fields.limits ?? {},
    cases,
  };
  return { kind: "valid", value, warnings: problems.warnings };
}

type PositionFrom = (from: Path) => (path: Path) => Position;

function toCase(fields: CaseFields, runs: readonly TestRun[], path: Path, at: PositionFrom): TestCase {
  return { name: fields.name, position: at(path)(["name"]), needs: fields.needs ?? [], runs, at: at(path) };
}

interface CasePlace {
  readonly schema: ReturnType<typeof caseSchema>;
  readonly yaml: YamlText;
  readonly path: Path;
  readonly at: PositionFrom;
  readonly problems: DiagnosticList;
}

/** The runs of a case, the first of which is `first`; up to the first one that does not fit. */
function runsOf(first: CaseFields, repeated: RepeatedCase | undefined, place: CasePlace): TestRun[] {
  const { schema, yaml, path, at, problems } = place;
  if (repeated === undefined) return [toRun(first, undefined, path, at)];
  const runs: TestRun[] = [];
  for (const values of combinations(repeated.rows)) {
    const data = runs.length === 0 ? undefined : fillCase(repeated.data, values).data;
    const fields = data === undefined ? first : checkShape(schema, { ...yaml, data }, problems, path);
    if (fields === undefined) break;
    runs.push(toRun(fields, describeValues(values), path, at));
  }
  return runs;
}

function toRun(fields: CaseFields, values: string | undefined, path: Path, at: PositionFrom): TestRun {
  const steps =
    fields.steps?.map((step, index) => ({ ...step, at: at([...path, "steps", index]) })) ??
    (fields.request === undefined || fields.expect === undefined
      ? []
      : [{ request: fields.request, expect: fields.expect, at: at(path) }]);
  return {
    values,
    scene: {
      keys: toMaps(fields.keys ?? {}),
      faults: (fields.store ?? []).map(toFault),
      exchanges: (fields.http ?? []).map(toExchange),
    },
    steps: steps.map(({ request, expect, at: where }) => ({
      request: toRequest(request),
      expect: toExpectation(expect),
      at: where,
    })),
  };
}

function toRequest({ method, id, payload, timeoutMs }: NonNullable<CaseFields["request"]>): TestRequest {
  return { method, id, payload: payload ?? new Uint8Array(0), timeoutMs };
}

function toExpectation(fields: NonNullable<CaseFields["expect"]>): Expectation {
  const { status, body, error, keys = {}, log, logIncludes = [] } = fields;
  return {
    status,
    body,
    error: error === undefined ? undefined : toError(typeof error === "string" ? { code: error } : error),
    keys: toMaps(keys),
    log: log?.map(toLine),
    logIncludes: logIncludes.map(toLine),
  };
}

/** The schema has checked that it is a code. */
function toError({ code, text }: { readonly code: string; readonly text?: ExpectedText | undefined }): ExpectedError {
  return { code: code as ErrorCode, text };
}

function toLine(line: LineFields): ExpectedLine {
  if (typeof line === "string") return { text: expectedText(line), level: undefined };
  return { text: line.text === undefined ? expectedText(line) : expectedText(line.text), level: line.level };
}

function toFault({ on = "any", bucket, key, skip = 0, times, delayMs = 0, fail }: FaultFields): StoreFault {
  return { on, bucket, key, skip, times, delayMs, fail };
}

function toExchange(fields: ExchangeFields): ScriptedExchange {
  const { request, response, fail, delayMs = 0, times = 1 } = fields;
  const headers = Object.entries(request.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const);
  return {
    request: { method: request.method ?? "GET", url: request.url, headers: new Map(headers), body: request.body },
    delayMs,
    times,
    outcome:
      fail === undefined
        ? {
            kind: "response",
            status: response?.status ?? 200,
            headers: Object.entries(response?.headers ?? {}),
            chunks: response?.chunks ?? (response?.body === undefined ? [] : [response.body]),
            failure: response?.fail,
          }
        : { kind: "failure", code: fail },
  };
}

function toMaps<Value>(keys: Record<string, Record<string, Value>>): KeysByBucket<Value> {
  return new Map(
    Object.entries(keys).map(([bucket, values]) => [bucket as BucketName, new Map(Object.entries(values))]),
  );
}
