/** What replies mean. */

import { headers as createHeaders } from "@nats-io/nats-core";
import { describe, expect, test } from "vitest";
import { parseReply as parseInCommand } from "../../../src/cli/call-reply.ts";
import { encodeReply } from "../../../src/consumer/reply.ts";
import { ERROR_CODES as ALL_CODES, errorRow } from "../../../src/errors/table.ts";
import { CallError, failureOf, isCallError } from "../src/call-error.ts";
import { ERROR_CODES } from "../src/error-codes.ts";
import { parseReply } from "../src/reply.ts";

function message(entries: readonly (readonly [string, string])[], body = ""): Parameters<typeof parseReply>[0] {
  const headers = createHeaders();
  for (const [name, value] of entries) headers.append(name, value);
  return { data: new TextEncoder().encode(body), headers };
}

/** A replica's own bytes, as a client reads them. */
function replicaSays(outcome: Parameters<typeof encodeReply>[0]): Parameters<typeof parseReply>[0] {
  const { headers, data } = encodeReply(outcome, "id-1");
  const lines = Buffer.from(headers).toString("latin1").trimEnd().split("\r\n").slice(1);
  const entries = lines.map((line) => line.split(": ") as [string, string]);
  return { ...message(entries), data };
}

const OVERLOADED = [
  ["Nats-Service-Error", "too much"],
  ["Nats-Service-Error-Code", "429"],
  ["Rpc-Error", "overloaded"],
  ["Rpc-Retryable", "true"],
  ["Retry-After-Ms", "100"],
] as const;

describe("a reply", () => {
  test("with a status is the plugin's answer, from 0 to 65535", () => {
    for (const status of [0, 200, 404, 65_535])
      expect(parseReply(message([["rpc-status", String(status)]], "x"))).toMatchObject({ kind: "answered", status });
  });

  test("with an error is a failure with all that it says", () => {
    expect(parseReply(message(OVERLOADED))).toMatchObject({
      kind: "failed",
      failure: { code: "overloaded", text: "too much", isRetryable: true, mayHaveRun: false, retryAfterMs: 100 },
    });
  });

  test("counts the first of several values", () => {
    const twice = message([
      ["Rpc-Status", "201"],
      ["Rpc-Status", "500"],
    ]);
    expect(parseReply(twice)).toMatchObject({ status: 201 });
  });

  test("is not retryable unless it says so, and of a code that is not known the plugin may have run", () => {
    const failure = (entries: readonly (readonly [string, string])[]): unknown => {
      const outcome = parseReply(message([["Rpc-Error", "new-code"], ...entries]));
      return outcome.kind === "failed" ? [outcome.failure.isRetryable, outcome.failure.mayHaveRun] : outcome;
    };
    expect(failure([])).toEqual([false, true]);
    expect(failure([["Rpc-Retryable", "yes"]])).toEqual([false, true]);
    expect(failure([["Rpc-Retryable", "true"]])).toEqual([true, true]);
  });

  test("that is neither is bad-reply, and says what it probably is", () => {
    const text = (from: Parameters<typeof parseReply>[0]): string => {
      const outcome = parseReply(from);
      if (outcome.kind === "answered") return "answered";
      expect(outcome.failure).toMatchObject({ code: "bad-reply", isRetryable: false, mayHaveRun: true });
      return outcome.failure.text;
    };
    const acknowledgement = new TextEncoder().encode('{"stream":"ORDERS","seq":1}');
    expect(text({ data: acknowledgement })).toMatch(/JetStream stream "ORDERS"/);
    const other = [["Nats-Service-Error", "no\u001b[2J"] as const, ["Nats-Service-Error-Code", "400"] as const];
    expect(text(message(other))).toBe("another service answers on the subject, with the error no [2J");
    for (const status of ["65536", "-1", "2e2", "", " "])
      expect(text(message([["Rpc-Status", status]]))).toMatch(/no valid Rpc-Status/);
    expect(text({ data: new Uint8Array(0) })).toMatch(/no valid Rpc-Status/);
  });

  test("of every code that a replica sends is read as the command reads it", () => {
    for (const code of ALL_CODES) {
      const { work } = errorRow(code);
      if (work === undefined) continue;
      const said = replicaSays({ kind: "failed", code, message: "for the log", retryAfterMs: 12 });
      const ours = parseReply(said);
      const theirs = parseInCommand(said);
      if (ours.kind !== "failed" || theirs.kind !== "error") throw new Error(`${code} is read as an answer`);
      const { code: read, text, isRetryable, retryAfterMs, mayHaveRun } = ours.failure;
      expect([read, text, isRetryable, retryAfterMs]).toEqual([
        theirs.error.code,
        theirs.error.message,
        theirs.error.retryable,
        theirs.error.retryAfterMs,
      ]);
      expect(mayHaveRun, code).toBe(work === "maybe");
    }
    expect(Object.keys(ERROR_CODES)).toHaveLength(ALL_CODES.filter((code) => errorRow(code).work !== undefined).length);
  });

  test("of a plugin's own error has its whole text", () => {
    const text = `größer ${"x".repeat(1_000)}`;
    const outcome = parseReply(replicaSays({ kind: "plugin-error", message: text, isAfterOutage: true }));
    if (outcome.kind !== "failed") throw new Error("it is read as an answer");
    const error = new CallError(outcome.failure, { plugin: "p", method: "m", id: "i", tries: 1 });
    expect(error.text()).toBe(text);
    expect([error.code, error.isRetryable, error.mayHaveRun]).toEqual(["plugin-error", true, true]);
    expect(error.message.length).toBeLessThan(400);
  });
});

test("an error is recognised, by its code where one is given", () => {
  const error = new CallError(failureOf("denied", "no"), { plugin: "p", method: "", id: "i", tries: 1 });
  expect(isCallError(error)).toBe(true);
  expect(isCallError(error, "denied")).toBe(true);
  expect(isCallError(error, "overloaded")).toBe(false);
  expect(isCallError(new Error("denied"))).toBe(false);
  expect(error.message).toBe("denied: no (p, id i)");
  expect(error.text()).toBe("");
});
