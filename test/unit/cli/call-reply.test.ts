import { headers } from "nats";
import { describe, expect, test } from "vitest";
import { parseReply } from "../../../src/cli/call-reply.ts";

function reply(head: Record<string, string>, body = ""): ReturnType<typeof parseReply> {
  const parsed = headers();
  for (const [name, value] of Object.entries(head)) parsed.set(name, value);
  return parseReply({ headers: parsed, data: Buffer.from(body) });
}

describe("a reply", () => {
  test("with a status is an answer, whatever the case of its headers", () => {
    expect(reply({ "rpc-status": "65535", "RPC-ID": "i" }, "b")).toEqual({
      kind: "ok",
      status: 65_535,
      id: "i",
      body: Buffer.from("b"),
    });
  });

  test("with an error has its code, text, retry hint and exit code", () => {
    const head = {
      "Nats-Service-Error": "All places are taken",
      "Nats-Service-Error-Code": "429",
      "Rpc-Error": "overloaded",
      "Rpc-Retryable": "true",
      "Retry-After-Ms": "100",
      "Rpc-Id": "i",
    };
    expect(reply(head)).toMatchObject({
      kind: "error",
      id: "i",
      error: {
        code: "overloaded",
        message: "All places are taken",
        retryable: true,
        replyCode: 429,
        retryAfterMs: 100,
        exitCode: 3,
      },
    });
  });

  test("with an error of the plugin's exits by whether the store had failed it", () => {
    const exitCodeOf = (retryable: string): unknown =>
      reply({ "Rpc-Error": "plugin-error", "Rpc-Retryable": retryable }, "no");
    expect(exitCodeOf("false")).toMatchObject({ error: { retryable: false, exitCode: 1 } });
    expect(exitCodeOf("true")).toMatchObject({ error: { retryable: true, exitCode: 3 } });
  });

  test("with an error of a newer replica keeps its code and goes by its retry hint", () => {
    expect(reply({ "Rpc-Error": "brand-new", "Rpc-Retryable": "true" })).toMatchObject({
      error: { code: "brand-new", message: "no text given", retryable: true, exitCode: 3 },
    });
    expect(reply({ "Rpc-Error": "brand-new" })).toMatchObject({ error: { retryable: false, exitCode: 1 } });
  });

  test("of another NATS service with an error is an error", () => {
    expect(reply({ "Nats-Service-Error": "no", "Nats-Service-Error-Code": "500" })).toMatchObject({
      kind: "error",
      error: { code: "service-error", message: "no", replyCode: 500, exitCode: 1 },
    });
  });

  test.each([[{}], [{ "Rpc-Status": "65536" }], [{ "Rpc-Status": "-1" }], [{ "Rpc-Status": "" }]])(
    "without a valid status or error (%j) is refused",
    (head: Record<string, string>) => {
      expect(reply(head)).toMatchObject({ kind: "error", error: { code: "bad-reply", exitCode: 1 } });
    },
  );

  test("without any headers is refused", () => {
    const bare = { data: new Uint8Array(0) };
    expect(parseReply(bare)).toMatchObject({ kind: "error", error: { code: "bad-reply" } });
  });
});
