/** What is refused before anything is sent, and what is sent. */

import { describe, expect, test } from "vitest";
import { json } from "../src/payload.ts";
import { createRequest, encodedBytes, headersOf, type RequestParts } from "../src/request.ts";
import { orAborted, wait } from "../src/waiting.ts";

const PARTS: RequestParts = { plugin: "echo", method: "say", id: "i", payload: new Uint8Array(3), headers: {} };

function refusal(parts: Partial<RequestParts>): string | undefined {
  const request = createRequest({ ...PARTS, ...parts });
  return "code" in request ? `${request.code}: ${request.text}` : undefined;
}

describe("a request", () => {
  test("has its method in a header, and the time that is left", () => {
    const request = createRequest({ ...PARTS, method: "größe ändern", headers: { traceparent: "00-x" } });
    if ("code" in request) throw new Error(request.text);
    expect(request.subject).toBe("rpc.echo");
    const head = headersOf(request, 250);
    expect(Object.fromEntries([...head].map(([name, values]) => [name, values.join()]))).toEqual({
      "Rpc-Timeout-Ms": "250",
      "Rpc-Id": "i",
      "Rpc-Method": "größe ändern",
      traceparent: "00-x",
    });
    const lines = ["Rpc-Timeout-Ms: 250", "Rpc-Id: i", "Rpc-Method: größe ändern", "traceparent: 00-x"];
    const encoded = `NATS/1.0\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;
    expect(encodedBytes(request, head)).toBe(3 + Buffer.byteLength(encoded));
  });

  test("has no method where there is none", () => {
    const request = createRequest({ ...PARTS, method: "" });
    expect(request).toMatchObject({ headers: [["Rpc-Id", "i"]] });
  });

  test("goes to no subject but that of a plugin", () => {
    for (const plugin of ["", ">", "*", "a.b", "a.>", "Echo", "a b", "-a", "a-", "a--b", "é", "a".repeat(64), "a\r\n"])
      expect(refusal({ plugin }), plugin).toMatch(/^bad-request: a plugin's name/);
  });

  test("has no header that the plugin would not get as it was given", () => {
    for (const method of ["a\r\nb", " a", "a ", "é".repeat(128)])
      expect(refusal({ method }), method).toMatch(/^bad-request: a method/);
    for (const id of ["", "a b", "é", "a".repeat(129)]) expect(refusal({ id }), id).toMatch(/^bad-request: an id/);
    expect(refusal({ headers: { "rpc-timeout-ms": "1" } })).toMatch(/the option timeoutMs stands for/);
    for (const headers of [{ "a b": "c" }, { "a:": "c" }, { "": "c" }, { a: "b\nRpc-Id: c" }, { a: " b" }])
      expect(refusal(headers === undefined ? {} : { headers }), JSON.stringify(headers)).toMatch(/^bad-request/);
  });
});

test("a value is sent as JSON, and one that JSON does not have is refused", () => {
  expect(json({ a: [1, null] })).toBe('{"a":[1,null]}');
  expect(json(null)).toBe("null");
  expect(() => json(undefined)).toThrow(TypeError);
  expect(() => json(1n)).toThrow(TypeError);
});

describe("a wait", () => {
  test("ends with the signal's reason, and takes its listener away", async () => {
    const controller = new AbortController();
    const never = orAborted(new Promise(() => {}), controller.signal);
    controller.abort(new Error("enough"));
    await expect(never).rejects.toThrow("enough");
    await expect(wait(60_000, AbortSignal.abort(new Error("before")))).rejects.toThrow("before");
  });

  test("settles as its promise where nothing ends it", async () => {
    const { signal } = new AbortController();
    expect(await orAborted(Promise.resolve(1), signal)).toBe(1);
    await expect(orAborted(Promise.reject(new Error("lost")), signal)).rejects.toThrow("lost");
    await wait(0, signal);
  });
});
