import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeReply, messageBytes } from "../../../src/consumer/reply.ts";
import { ERROR_CODES, errorRow } from "../../../src/errors/table.ts";

const text = (data: Uint8Array): string => Buffer.from(data).toString();

describe("encoding a reply", () => {
  test("an answer carries the plugin's status, the id and the body", () => {
    const reply = encodeReply({ kind: "ok", response: { status: 404, body: Buffer.from("no such user") } }, "r1");
    expect([reply.headers.get("Rpc-Status"), reply.headers.get("Rpc-Id"), text(reply.data), reply.code]).toEqual([
      "404",
      "r1",
      "no such user",
      undefined,
    ]);
    expect(reply.headers.has("Rpc-Error")).toBe(false);
  });

  test.each(ERROR_CODES)("%s carries its row of the table and no status", (code) => {
    const { headers } = encodeReply({ kind: "failed", code, message: "mongodb://user:secret@db failed" }, "r1");
    const row = errorRow(code);
    expect(headers.get("Rpc-Error")).toBe(code);
    expect(headers.get("Nats-Service-Error-Code")).toBe(String(row.replyCode));
    expect(headers.get("Rpc-Retryable")).toBe(String(row.retryable));
    expect(headers.get("Nats-Service-Error")).toBe(row.summary);
    expect(headers.has("Rpc-Status")).toBe(false);
  });

  test("a plugin's error text stands whole in the body and as one safe line in the header", () => {
    const message = "line one\r\nNats-Service-Error-Code: 1\u001b[31m é";
    const reply = encodeReply({ kind: "plugin-error", message }, "r1");
    expect(text(reply.data)).toBe(message);
    expect(reply.headers.get("Nats-Service-Error")).toBe("line one Nats-Service-Error-Code: 1 [31m");
    expect(reply.headers.get("Nats-Service-Error-Code")).toBe("500");
  });

  test("a trap's message stays in the log", () => {
    const reply = encodeReply({ kind: "trap", message: "unreachable at /secret/path" }, "r1");
    expect(JSON.stringify([...reply.headers.keys()].map((name) => reply.headers.get(name)))).not.toContain("secret");
    expect(reply.code).toBe("plugin-trapped");
  });

  test("whatever a plugin says, the header is one line of printable ASCII, never empty", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 600 }), (message) => {
        expect(encodeReply({ kind: "plugin-error", message }, undefined).headers.get("Nats-Service-Error")).toMatch(
          /^[\x21-\x7e](?:[\x20-\x7e]{0,254}[\x21-\x7e])?$/,
        );
      }),
      { interruptAfterTimeLimit: 2_000 },
    );
  });

  test("a hint for the retry is rounded up to whole milliseconds", () => {
    const reply = encodeReply({ kind: "failed", code: "overloaded", message: "", retryAfterMs: 99.2 }, "r1");
    expect(reply.headers.get("Retry-After-Ms")).toBe("100");
  });

  test("the size counts body and headers as the server does", () => {
    const reply = encodeReply({ kind: "ok", response: { status: 200, body: Buffer.alloc(1_000) } }, "r1");
    const wire = "NATS/1.0\r\nRpc-Status: 200\r\nRpc-Id: r1\r\n\r\n";
    expect(messageBytes(reply)).toBe(wire.length + 1_000);
  });
});
