/**
 * What of a case is not as its file expects it: after each request the reply, the log and the keys, at the end whether the
 * case used what it had prepared. Pure.
 *
 * @module
 */

import type { Position } from "../config/diagnostic.ts";
import type { Expectation, ExpectedLine, ScriptedExchange, TestCase, TestRun, TestStep } from "../config/test-case.ts";
import { counted, differenceOfLines, type DifferenceLine, shortly } from "./difference.ts";
import type { CapturedLog, LoggedLine } from "./captured-log.ts";
import { describeBytes, describeText, isMatch, matchBytes, matchText } from "./matching.ts";
import type { HadExchange, SentRequest } from "./scene-exchanges.ts";
import type { Scene } from "./scene.ts";
import type { TestError, TestReply } from "./tested-plugin.ts";

/** Something that is not as expected. */
export interface Mismatch {
  /** The place of the expectation in the test file. */
  readonly position: Position;
  /** What is wrong, in one line. */
  readonly what: string;
  readonly difference: readonly DifferenceLine[];
}

type Add = (path: readonly PropertyKey[], what: string, difference?: readonly DifferenceLine[]) => void;

/** The mismatches after one request. */
export function checkStep({ expect, at }: TestStep, reply: TestReply, { keys }: Scene): Mismatch[] {
  const mismatches: Mismatch[] = [];
  const add: Add = (path, what, difference = []) =>
    void mismatches.push({ position: at(["expect", ...path]), what, difference });
  checkReply(expect, reply, add);
  checkLog(expect, reply.log, add);
  for (const [bucket, expected] of expect.keys) {
    const values = keys.bucket(bucket);
    for (const [key, value] of expected) {
      const path = ["keys", bucket, key];
      const received = values.get(key);
      if (received === undefined)
        add(path, `the key ${named(bucket, key)} is not there`, [{ kind: "expected", text: describeBytes(value) }]);
      else {
        const difference = matchBytes(value, received);
        if (difference !== undefined) add(path, `the value of ${named(bucket, key)} differs`, difference);
      }
    }
    for (const [key, value] of values)
      if (!expected.has(key))
        add(["keys", bucket], `the key ${named(bucket, key)} is there, and was not expected`, [
          { kind: "received", text: shortly(value) },
        ]);
  }
  return mismatches;
}

function named(bucket: string, key: string): string {
  return `${JSON.stringify(key)} of the bucket ${bucket}`;
}

function checkReply({ status, body, error }: Expectation, reply: TestReply, add: Add): void {
  if (reply.kind === "error") {
    const said = reply.text === "" ? [] : [{ kind: "received" as const, text: shortly(Buffer.from(reply.text)) }];
    if (error === undefined) {
      const hint = reply.code === "plugin-error" || reply.code === "plugin-trapped" ? "" : `: ${reply.message}`;
      add([], `the request ended with ${reply.code}${hint}`, [...said, ...detailOf(reply)]);
    } else if (error.code !== reply.code) {
      add(["error"], "the request ended with another error", [
        { kind: "expected", text: error.code },
        { kind: "received", text: reply.code },
        ...said,
        ...detailOf(reply),
      ]);
    } else if (error.text !== undefined) {
      const difference = matchText(error.text, reply.text);
      if (difference !== undefined) add(["error"], "the error's text differs", difference);
    }
    return;
  }
  if (error !== undefined) {
    add(["error"], "the plugin answered, where an error was expected", [
      { kind: "expected", text: error.code },
      { kind: "received", text: `status ${reply.status}, ${shortly(reply.body)}` },
    ]);
    return;
  }
  if (status !== undefined && status !== reply.status) {
    // The body may say why.
    const why = body === undefined && reply.body.length > 0 ? `, with the body ${shortly(reply.body)}` : "";
    add(["status"], "the status differs", [
      { kind: "expected", text: String(status) },
      { kind: "received", text: `${reply.status}${why}` },
    ]);
  }
  const difference = body === undefined ? undefined : matchBytes(body, reply.body);
  if (difference !== undefined) add(["body"], "the body differs", difference);
}

/** What the log says of it, unless it is the error's own text. */
function detailOf({ log, text }: TestError): DifferenceLine[] {
  const lines = log.detail === undefined || log.detail === text ? [] : log.detail.split(/\n|\\n/);
  return lines.map((text) => ({ kind: "remark", text }));
}

function checkLog({ log, logIncludes }: Expectation, captured: CapturedLog, add: Add): void {
  const lines = captured.lines.filter(({ source }) => source !== "host");
  if (captured.missed > 0 && (log !== undefined || logIncludes.length > 0))
    add([log === undefined ? "logIncludes" : "log"], "the log is longer than what is kept of it");
  if (log !== undefined) {
    const differs = log.length !== lines.length || log.some((line, index) => !isLine(line, lines[index]));
    if (differs) {
      // A line that fits is shown as it came, so that only the others are marked.
      const expected = log.map((line, index) => lineText(line, lines[index]));
      add(["log"], "the log differs", differenceOfLines(expected, lines.map(loggedText)));
    }
  }
  for (const [index, line] of logIncludes.entries()) {
    if (lines.some((logged) => isLine(line, logged))) continue;
    add(["logIncludes", index], "the log has no such line", [
      { kind: "expected", text: lineText(line, undefined) },
      ...differenceOfLines([], lines.map(loggedText)),
    ]);
  }
}

function isLine({ text, level }: ExpectedLine, logged: LoggedLine | undefined): boolean {
  return logged !== undefined && (level ?? logged.level) === logged.level && isMatch(text, logged.text);
}

function loggedText({ level, text }: LoggedLine): string {
  return `${level}: ${text}`;
}

function lineText(line: ExpectedLine, logged: LoggedLine | undefined): string {
  if (logged !== undefined && isLine(line, logged)) return loggedText(logged);
  const text = line.text.kind === "text" ? line.text.text : describeText(line.text);
  return `${line.level ?? logged?.level ?? "info"}: ${text}`;
}

/**
 * The mismatches of the case as a whole: exchanges that differ or that nobody expected, and once all of its requests were sent
 * those that are missing, and idle faults.
 */
export function checkScene(
  { at }: TestCase,
  { scene: setup }: TestRun,
  { exchanges, keys }: Scene,
  state: "ended" | "broken-off",
): Mismatch[] {
  const mismatches: Mismatch[] = [];
  const add: Add = (path, what, difference = []) => void mismatches.push({ position: at(path), what, difference });
  for (const had of exchanges.had) checkExchange(had, setup.exchanges, add);
  if (state === "broken-off") return mismatches;
  for (const { index, had } of exchanges.missing) {
    const { request, times } = setup.exchanges[index] as ScriptedExchange;
    const often = had === 0 ? "did not take place" : `took place ${counted(had, "time")}, expected were ${times}`;
    add(["http", index], `the HTTP exchange ${request.method} ${request.url} ${often}`);
  }
  for (const index of keys.unmetFaults) add(["store", index], "no operation of the store met this fault");
  return mismatches;
}

function checkExchange({ index, sent }: HadExchange, scripted: readonly ScriptedExchange[], add: Add): void {
  const request = sent();
  if (index === undefined) {
    add(scripted.length === 0 ? ["name"] : ["http"], `the plugin sent an HTTP request that the case does not have`, [
      { kind: "received", text: `${request.method} ${request.url}` },
    ]);
    return;
  }
  const expected = scripted[index] as ScriptedExchange;
  for (const [name, value] of expected.request.headers) {
    const received = fieldOf(request, name);
    const difference =
      received === undefined ? [{ kind: "expected" as const, text: describeText(value) }] : matchText(value, received);
    const what = `the header field ${name} of ${request.method} ${request.url} ${received === undefined ? "is not there" : "differs"}`;
    if (difference !== undefined) add(["http", index, "request", "headers"], what, difference);
  }
  const { body } = expected.request;
  const difference = body === undefined ? undefined : matchBytes(body, request.body);
  if (difference !== undefined)
    add(["http", index, "request", "body"], `the body of ${request.method} ${request.url} differs`, difference);
}

/** Several fields of one name are one, joined as HTTP has it. */
function fieldOf({ fields }: SentRequest, name: string): string | undefined {
  const values = fields
    .filter(([field]) => field.toLowerCase() === name)
    .map(([, value]) => Buffer.from(value).toString());
  return values.length === 0 ? undefined : values.join(", ");
}
