import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Outcome } from "../../../src/contract/request.ts";
import { encodeReply, messageBytes, type Reply } from "../../../src/consumer/reply.ts";
import { ERROR_CODES, errorRow } from "../../../src/errors/table.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

const text = (data: Uint8Array): string => Buffer.from(data).toString();

/** The headers of a reply, read as ADR-4 has them; a line that is not a header is an error. */
function headersOf({ headers }: Reply): Map<string, string> {
  const [, block] = /^NATS\/1\.0\r\n((?:[!-9;-~]+: [ -~]*\r\n)+)\r\n$/.exec(text(headers)) ?? [];
  const lines = block?.split("\r\n").slice(0, -1) ?? [];
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(": ")), line.slice(line.indexOf(": ") + 2)]));
}

describe("encoding a reply", () => {
  test("an answer carries the plugin's status, the id and the body", () => {
    const reply = encodeReply({ kind: "ok", response: { status: 404, body: Buffer.from("no such user") } }, "r1");
    const headers = headersOf(reply);
    expect([headers.get("Rpc-Status"), headers.get("Rpc-Id"), text(reply.data), reply.code]).toEqual([
      "404",
      "r1",
      "no such user",
      undefined,
    ]);
    expect(headers.has("Rpc-Error")).toBe(false);
  });

  test.each(ERROR_CODES)("%s carries its row of the table and no status", (code) => {
    const headers = headersOf(encodeReply({ kind: "failed", code, message: "mongodb://user:secret@db failed" }, "r1"));
    const row = errorRow(code);
    expect(headers.get("Rpc-Error")).toBe(code);
    expect(headers.get("Nats-Service-Error-Code")).toBe(String(row.replyCode));
    expect(headers.get("Rpc-Retryable")).toBe(String(row.retryable));
    expect(headers.get("Nats-Service-Error")).toBe(row.summary);
    expect(headers.has("Rpc-Status")).toBe(false);
  });

  test("the plugin's own failures may be tried again after an outage of the store, and an answer is an answer", () => {
    const retryable = (outcome: Outcome): string | undefined =>
      headersOf(encodeReply(outcome, "r1")).get("Rpc-Retryable");
    for (const kind of ["plugin-error", "trap"] as const) {
      expect(retryable({ kind, message: "m" })).toBe("false");
      expect(retryable({ kind, message: "m", isAfterOutage: true })).toBe("true");
    }
  });

  test("a plugin's error text stands whole in the body and as one safe line in the header", () => {
    const message = "line one\r\nNats-Service-Error-Code: 1\u001b[31m é";
    const reply = encodeReply({ kind: "plugin-error", message }, "r1");
    expect(text(reply.data)).toBe(message);
    const headers = headersOf(reply);
    expect(headers.get("Nats-Service-Error")).toBe("line one Nats-Service-Error-Code: 1 [31m");
    expect(headers.get("Nats-Service-Error-Code")).toBe("500");
  });

  test("a trap's message stays in the log", () => {
    const reply = encodeReply({ kind: "trap", message: "unreachable at /secret/path" }, "r1");
    expect(text(reply.headers)).not.toContain("secret");
    expect(reply.code).toBe("plugin-trapped");
  });

  test("whatever a plugin says, the header is one line of printable ASCII, never empty", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 600 }), (message) => {
        expect(headersOf(encodeReply({ kind: "plugin-error", message }, undefined)).get("Nats-Service-Error")).toMatch(
          /^[\x21-\x7e](?:[\x20-\x7e]{0,254}[\x21-\x7e])?$/,
        );
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
  });

  test("a hint for the retry is rounded up to whole milliseconds", () => {
    const reply = encodeReply({ kind: "failed", code: "overloaded", message: "", retryAfterMs: 99.2 }, "r1");
    expect(headersOf(reply).get("Retry-After-Ms")).toBe("100");
  });

  test("the size counts body and headers as the server does", () => {
    const reply = encodeReply({ kind: "ok", response: { status: 200, body: Buffer.alloc(1_000) } }, "r1");
    const wire = "NATS/1.0\r\nRpc-Status: 200\r\nRpc-Id: r1\r\n\r\n";
    expect(messageBytes(reply)).toBe(wire.length + 1_000);
    expect(text(reply.headers)).toBe(wire);
  });
});
