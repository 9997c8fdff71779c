import { beforeEach, expect, it } from "vitest";
import { GuestContext, MAX_OPEN_HANDLES } from "../../../src/runner/guest/guest-context.ts";
import { createImportsFactory } from "../../../src/runner/imports.ts";

type Answer = { readonly tag: "ok" | "err"; readonly val: unknown };

interface Fields {
  set(name: unknown, values: unknown): Answer;
  append(name: unknown, value: unknown): Answer;
  delete(name: unknown): Answer;
  get(name: unknown): Uint8Array[];
  has(name: unknown): boolean;
  entries(): Array<[string, Uint8Array]>;
  clone(): Fields;
}

interface OutgoingRequest {
  headers(): Fields;
  body(): Answer;
  setMethod(method: unknown): Answer;
  setPathWithQuery(path: unknown): Answer;
  setAuthority(authority: unknown): Answer;
  setScheme(scheme: unknown): Answer;
  pathWithQuery(): string | undefined;
}

interface OutgoingResponse {
  headers(): Fields;
  body(): Answer;
  statusCode(): number;
  setStatusCode(code: unknown): Answer;
}

interface Http {
  readonly Fields: { new (): Fields; fromList(list: unknown): Answer };
  readonly OutgoingRequest: new (headers: unknown) => OutgoingRequest;
  readonly OutgoingResponse: new (headers: unknown) => OutgoingResponse;
  readonly OutgoingBody: { finish(body: unknown, trailers: unknown): Answer };
}

let http: Http;
let handle: (request: unknown, options: unknown) => Answer;

beforeEach(() => {
  const imports = createImportsFactory(["wasi:http/types", "wasi:http/outgoing-handler"])(new GuestContext(0));
  http = imports["wasi:http/types"] as unknown as Http;
  handle = imports["wasi:http/outgoing-handler"]?.["handle"] as typeof handle;
});

const bytes = (text: string): Uint8Array => Buffer.from(text);

it("denies every request where there is no call that may send one", () => {
  const request = new http.OutgoingRequest(new http.Fields());
  expect(handle(request, undefined)).toMatchObject({ tag: "err", val: { tag: "HTTP-request-denied" } });
});

it("takes requests without end, since each gives its handles back", () => {
  for (let request = 0; request < MAX_OPEN_HANDLES; request++)
    handle(new http.OutgoingRequest(new http.Fields()), undefined);
  expect(() => new http.Fields()).not.toThrow();
});

it("compares the names of fields without regard to case and keeps their order", () => {
  const fields = http.Fields.fromList([
    ["Accept", bytes("a")],
    ["X-One", bytes("1")],
    ["accept", bytes("b")],
  ]).val as Fields;
  expect(fields.get("ACCEPT").map(String)).toEqual([bytes("a"), bytes("b")].map(String));
  expect(fields.has("x-one")).toBe(true);
  expect(fields.delete("x-one").tag).toBe("ok");
  expect(fields.has("X-One")).toBe(false);
  expect(fields.set("accept", [bytes("c")]).tag).toBe("ok");
  expect(fields.entries()).toEqual([["accept", bytes("c")]]);
});

it.each(["", "a b", "a:b", "a\r\nb", "ü"])("refuses %j as the name of a field", (name) => {
  const fields = new http.Fields();
  expect(fields.append(name, bytes("x"))).toMatchObject({ tag: "err", val: { tag: "invalid-syntax" } });
  expect(http.Fields.fromList([[name, bytes("x")]])).toMatchObject({ tag: "err", val: { tag: "invalid-syntax" } });
});

it.each(["a\r\nHost: b", "a\nb", "a\0b", "a\u0001", "a\u007f"])("refuses %j as the value of a field", (value) => {
  expect(new http.Fields().set("name", [bytes(value)])).toMatchObject({ tag: "err", val: { tag: "invalid-syntax" } });
});

it.each(["Host", "connection", "Keep-Alive", "te", "Transfer-Encoding", "upgrade", "expect", "proxy-authorization"])(
  "forbids the field %s, which belongs to the connection",
  (name) => {
    const forbidden = { tag: "err", val: { tag: "forbidden" } };
    expect(new http.Fields().append(name, bytes("x"))).toMatchObject(forbidden);
    expect(new http.Fields().set(name, [bytes("x")])).toMatchObject(forbidden);
    expect(http.Fields.fromList([[name, bytes("x")]])).toMatchObject(forbidden);
  },
);

it("traps where fields are too many or too large", () => {
  const fields = new http.Fields();
  expect(() => {
    for (;;) fields.append("name", bytes("value"));
  }).toThrow(/too many or too large/);
  expect(() => new http.Fields().append("name", Buffer.alloc(200_000, "a"))).toThrow(/too many or too large/);
});

it("keeps a request's headers from change, and copies of them not", () => {
  const headers = new http.OutgoingRequest(new http.Fields()).headers();
  expect(headers.append("name", bytes("value"))).toMatchObject({ tag: "err", val: { tag: "immutable" } });
  expect(headers.clone().append("name", bytes("value")).tag).toBe("ok");
});

it("refuses parts of a request that would break its line", () => {
  const request = new http.OutgoingRequest(new http.Fields());
  expect(request.setPathWithQuery("/a b").tag).toBe("err");
  expect(request.setPathWithQuery("/a\r\nb").tag).toBe("err");
  expect(request.setPathWithQuery("/a?b=c").tag).toBe("ok");
  expect(request.pathWithQuery()).toBe("/a?b=c");
  expect(request.setMethod({ tag: "other", val: "BAD METHOD" }).tag).toBe("err");
  expect(request.setMethod({ tag: "post" }).tag).toBe("ok");
  for (const path of ["/a#b", "#", "a/b", "*", "http://a.example/"])
    expect([path, request.setPathWithQuery(path).tag]).toEqual([path, "err"]);
  for (const authority of ["a\nb", "a:b:c", "a/b", "a?b", "a b", "[::1", "@", "a@b@c"])
    expect([authority, request.setAuthority(authority).tag]).toEqual([authority, "err"]);
  for (const authority of ["a", "a:", "a:8080", "u:p@a", "[::1]:80", "my_service.:1", "%41"])
    expect([authority, request.setAuthority(authority).tag]).toEqual([authority, "ok"]);
  for (const val of ["!x", "1a", "a_b", ""])
    expect([val, request.setScheme({ tag: "other", val }).tag]).toEqual([val, "err"]);
  expect(request.setScheme({ tag: "HTTPS" }).tag).toBe("ok");
});

it("gives a body once, and the body's stream once", () => {
  const request = new http.OutgoingRequest(new http.Fields());
  const body = request.body().val as { write(): Answer };
  expect(request.body().tag).toBe("err");
  const stream = body.write();
  expect(stream.tag).toBe("ok");
  expect(body.write().tag).toBe("err");
  (stream.val as Disposable)[Symbol.dispose]();
  expect(http.OutgoingBody.finish(body, undefined).tag).toBe("ok");
});

it("makes a response that nobody takes, as a server would", () => {
  const { OutgoingResponse, Fields, OutgoingBody } = http;
  const fields = new Fields();
  fields.append("content-length", bytes("3"));
  const response = new OutgoingResponse(fields);
  expect([response.statusCode(), response.setStatusCode(404).tag, response.statusCode()]).toEqual([200, "ok", 404]);
  for (const code of [0, 99, 600, 65_535]) expect([code, response.setStatusCode(code).tag]).toEqual([code, "err"]);
  expect(() => response.setStatusCode(65_536)).toThrow(/u16/);
  expect(() => response.setStatusCode("200")).toThrow(/u16/);
  expect(response.statusCode()).toBe(404);
  expect(response.headers().append("a", bytes("b"))).toMatchObject({ tag: "err", val: { tag: "immutable" } });
  const body = response.body().val;
  expect(response.body().tag).toBe("err");
  expect(OutgoingBody.finish(body, undefined)).toMatchObject({ tag: "err", val: { tag: "HTTP-response-body-size" } });
});

it("traps on what is not of the declared types", () => {
  expect(() => new http.OutgoingRequest({})).toThrow();
  expect(() => handle({}, undefined)).toThrow();
  expect(() => new http.Fields().append("name", "text")).toThrow(/list<u8>/);
  expect(() => new http.OutgoingRequest(new http.Fields()).setMethod({ tag: "constructor" })).toThrow(/variant/);
});

it("traps for what only looks like the host's object, also on arguments that it would refuse", () => {
  const request = Object.create(http.OutgoingRequest.prototype as object) as OutgoingRequest;
  const response = Object.create(http.OutgoingResponse.prototype as object) as OutgoingResponse;
  const bad = { tag: "other", val: "not a token" };
  expect(() => request.setMethod(bad)).toThrow(TypeError);
  expect(() => request.setScheme(bad)).toThrow(TypeError);
  expect(() => request.setPathWithQuery("no path")).toThrow(TypeError);
  expect(() => request.setAuthority("no authority")).toThrow(TypeError);
  expect(() => response.setStatusCode(0)).toThrow(TypeError);
});
