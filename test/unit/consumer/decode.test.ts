import fc from "fast-check";
import type { Msg } from "nats";
import { describe, expect, test } from "vitest";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import { decodeRequest, isSafeReplySubject } from "../../../src/consumer/decode.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

interface Sent {
  readonly subject?: string;
  readonly headers?: Record<string, string>;
  /** The header block as it is on the wire, in place of `headers`. */
  readonly block?: string | Buffer;
  readonly data?: string;
}

/** A message as the client keeps it: the payload behind its headers. */
function message({ subject = "rpc.echo", headers: given = {}, block, data = "" }: Sent): Msg {
  const lines = Object.entries(given).map(([name, value]) => `${name}: ${value}\r\n`);
  const text = block ?? (lines.length === 0 ? undefined : `NATS/1.0\r\n${lines.join("")}\r\n`);
  const head = Buffer.from(text ?? "");
  const payload = Buffer.from(data);
  const raw = { _msg: { hdr: text === undefined ? -1 : head.length }, _rdata: Buffer.concat([head, payload]) };
  return { ...raw, subject, data: payload } as unknown as Msg;
}

const decode = (sent: Sent) => decodeRequest(message(sent), sent.subject ?? "rpc.echo", () => "made");

describe("decoding a request", () => {
  test("takes the method from the header, the payload from the data and makes an id where none came", () => {
    expect(decode({ headers: { "Rpc-Method": "greet you" }, data: "hi" })).toEqual({
      kind: "request",
      request: { id: "made", method: "greet you", payload: Buffer.from("hi") },
      timeoutMs: undefined,
      traceId: undefined,
    });
  });

  test("takes the method from the subject", () => {
    expect(decode({ subject: "rpc.echo.say" })).toMatchObject({ request: { method: "say" } });
  });

  test("has the empty method where neither names one", () => {
    expect(decode({})).toMatchObject({ request: { method: "" } });
  });

  test("reads header names in any case", () => {
    const sent = { headers: { "rpc-id": "abc", "RPC-TIMEOUT-MS": "250", "rPC-mETHOD": "m" } };
    expect(decode(sent)).toMatchObject({ request: { id: "abc", method: "m" }, timeoutMs: 250 });
  });

  test("reads the trace's id and ignores what is not a traceparent", () => {
    const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    expect(decode({ headers: { Traceparent: `00-${traceId}-00f067aa0ba902b7-01` } })).toMatchObject({ traceId });
    expect(decode({ headers: { traceparent: "nonsense" } })).toMatchObject({ traceId: undefined });
  });

  test.each([
    ["an empty id", { "Rpc-Id": " " }, "Rpc-Id"],
    ["an id with a space", { "Rpc-Id": "a b" }, "Rpc-Id"],
    ["an id of 129 characters", { "Rpc-Id": "x".repeat(129) }, "Rpc-Id"],
    ["an id that is not ASCII", { "Rpc-Id": "é" }, "Rpc-Id"],
    ["a time-out in words", { "Rpc-Timeout-Ms": "soon" }, "Rpc-Timeout-Ms"],
    ["a negative time-out", { "Rpc-Timeout-Ms": "-1" }, "Rpc-Timeout-Ms"],
    ["a time-out with a fraction", { "Rpc-Timeout-Ms": "1.5" }, "Rpc-Timeout-Ms"],
    ["a method of 256 bytes", { "Rpc-Method": "é".repeat(128) }, "255"],
    ["a method that was not UTF-8", { "Rpc-Method": "a\ufffdb" }, "UTF-8"],
  ])("refuses %s and names it", (_what, given, named) => {
    const decoded = decode({ headers: given });
    expect(decoded.kind === "malformed" && decoded.problem).toContain(named);
  });

  test("refuses a header's method that differs from the subject's", () => {
    expect(decode({ subject: "rpc.echo.say", headers: { "Rpc-Method": "sing" } }).kind).toBe("malformed");
    expect(decode({ subject: "rpc.echo.say", headers: { "Rpc-Method": "say" } }).kind).toBe("request");
  });

  test("keeps the id of a request that is malformed otherwise", () => {
    expect(decode({ headers: { "Rpc-Id": "abc", "Rpc-Timeout-Ms": "x" } })).toMatchObject({
      kind: "malformed",
      id: "abc",
    });
  });

  test.each([
    ["a name with a space", "a b: x"],
    ["a name with a control character", "a\u001b[31m: x"],
    ["a name beyond ASCII", "é: x"],
    ["no name", ": x"],
    ["no colon", "Rpc-Id"],
  ])("refuses a header with %s", (_what, line) => {
    const decoded = decode({ block: `NATS/1.0\r\n${line}\r\n\r\n` });
    expect(decoded.kind === "malformed" && decoded.problem).toContain("a header must be");
  });

  test("takes the first of several values, and trims it", () => {
    expect(decode({ block: "NATS/1.0\r\nRpc-Id:  a \r\nrpc-id: b\r\n\r\n" })).toMatchObject({ request: { id: "a" } });
  });

  test("refuses headers beyond their limit without reading them", () => {
    const filler = "x".repeat(FIXED_LIMITS.headerBytes);
    const decoded = decode({ block: `NATS/1.0\r\na: ${filler}\r\n\r\n` });
    expect(decoded.kind === "malformed" && decoded.problem).toContain(`at most ${FIXED_LIMITS.headerBytes}`);
  });

  test("never throws, whatever bytes the header block holds", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(["request", "malformed"]).toContain(decode({ block: Buffer.from(bytes) }).kind);
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
  });

  test("never throws, whatever the headers hold", () => {
    const name = fc.constantFrom("Rpc-Id", "Rpc-Method", "Rpc-Timeout-Ms", "traceparent", "other");
    const value = fc.string({ unit: "binary", maxLength: 300 }).map((text) => text.replaceAll(/[\r\n]/g, ""));
    fc.assert(
      fc.property(fc.dictionary(name, value), (given) => {
        expect(["request", "malformed"]).toContain(decode({ headers: given }).kind);
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
  });
});

describe("reply subjects", () => {
  test("are the same to the eye as to an expression, whatever characters they have", () => {
    const expression = /^(?!\$|rpc(?:\.|$))[^\s*>.]+(?:\.[^\s*>.]+)*$/;
    const subject = fc.string({ unit: fc.constantFrom("a", ".", "*", ">", " ", "\u0001", "\u00a0", "é", "$", "rpc") });
    fc.assert(
      fc.property(subject, (text) => {
        expect(isSafeReplySubject(text)).toBe(expression.test(text));
      }),
      { numRuns: 2_000, interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
  });

  test.each(["_INBOX.abc.1", "_R_.x.y", "replies", "my.inbox.7", "wrpc.inbox.7", "a.wrpc.0.0.1"])(
    "%s may be published on",
    (subject) => {
      expect(isSafeReplySubject(subject)).toBe(true);
    },
  );

  test.each([
    "rpc",
    "rpc.echo",
    "rpc.echo.say",
    "wrpc.echo.wrpc.0.0.1.local:network-host/handler@1.0.0.handle-request",
    "a.b.c.wrpc.0.0.1.local:network-host/handler@1.0.0.get-access-levels",
    "$SYS.REQ.SERVER.PING",
    "$JS.API.INFO",
    "a.*",
    "a.>",
    ">",
    "a..b",
    "a b",
    "",
    ".a",
    "a.",
  ])("%s is refused", (subject) => {
    expect(isSafeReplySubject(subject)).toBe(false);
  });
});
