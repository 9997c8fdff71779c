/* oxlint-disable typescript/no-explicit-any -- what a guest gets from the mapping has no types here; the expectations check it */
import { beforeEach, describe, expect, it } from "vitest";
import { HttpLink } from "../../../src/capabilities/outbound-http/guest/link.ts";
import type { HttpToHost } from "../../../src/capabilities/outbound-http/messages.ts";
import type { HttpRequest, HttpSink } from "../../../src/contract/http.ts";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import { type CallPort, GuestContext, MAX_OPEN_HANDLES } from "../../../src/runner/guest/guest-context.ts";
import { createImportsFactory } from "../../../src/runner/imports.ts";

type Answer = { readonly tag: "ok" | "err"; readonly val: any };
type Method = (...args: unknown[]) => any;
type MethodName =
  | "append"
  | "blockingRead"
  | "blockingWriteAndFlush"
  | "body"
  | "checkWrite"
  | "clone"
  | "consume"
  | "entries"
  | "get"
  | "headers"
  | "read"
  | "setAuthority"
  | "setConnectTimeout"
  | "setFirstByteTimeout"
  | "setMethod"
  | "setPathWithQuery"
  | "setScheme"
  | "status"
  | "stream"
  | "subscribe"
  | "write";
type Handle = Record<MethodName, Method> & Disposable;
type HandleClass = new (...args: unknown[]) => Handle;

interface Http {
  readonly Fields: HandleClass & { readonly fromList: Method };
  readonly OutgoingRequest: HandleClass;
  readonly RequestOptions: HandleClass;
  readonly OutgoingBody: HandleClass & { readonly finish: Method };
  readonly IncomingBody: HandleClass & { readonly finish: Method };
  readonly httpErrorCode: Method;
}

const WINDOW = FIXED_LIMITS.httpWindowBytes;

let told: string[];
let asked: HttpRequest;
let sink: HttpSink;
let trapped: string[];
let context: GuestContext;
let http: Http;
let handle: (request: unknown, options: unknown) => Answer;
let poll: (pollables: unknown) => Promise<Uint32Array>;

/** What the host hears; it answers by {@link sink}. */
function hear(message: HttpToHost, link: HttpLink): void {
  const { exchange } = message;
  switch (message.kind) {
    case "http-request":
      asked = message.request;
      sink = {
        wanted: (bytes) => link.receive({ kind: "http-wanted", exchange, bytes }),
        response: (response) => link.receive({ kind: "http-response", exchange, response }),
        chunk: (bytes) => link.receive({ kind: "http-chunk", exchange, bytes }),
        end: (trailers) => link.receive({ kind: "http-end", exchange, trailers }),
        fail: (failure) => link.receive({ kind: "http-failed", exchange, failure }),
      };
      break;
    case "http-body":
      told.push(`write ${message.bytes.length}`);
      break;
    case "http-finish":
      told.push("finish");
      break;
    case "http-read":
      told.push(`read ${message.bytes}`);
      break;
    case "http-abort":
      told.push("abort");
      break;
  }
}

beforeEach(() => {
  told = [];
  trapped = [];
  context = new GuestContext(0);
  const link = new HttpLink((message) => hear(message, link));
  const port: CallPort = {
    log: () => undefined,
    output: () => undefined,
    capability: () => ofCall,
    trapped: (message) => trapped.push(message),
  };
  const ofCall = link.port(1);
  context.bind(port);
  const imports = createImportsFactory(["wasi:http/types", "wasi:http/outgoing-handler", "wasi:io/poll"])(context);
  http = imports["wasi:http/types"] as unknown as Http;
  handle = imports["wasi:http/outgoing-handler"]?.["handle"] as typeof handle;
  poll = imports["wasi:io/poll"]?.["poll"] as typeof poll;
});

const bytes = (text: string): Uint8Array => Buffer.from(text);

function newRequest(fields: [string, Uint8Array][] = []): Handle {
  const FieldsClass = http.Fields;
  const RequestClass = http.OutgoingRequest;
  return new RequestClass((FieldsClass.fromList(fields) as Answer).val);
}

function send(request = newRequest()): Handle {
  return handle(request, undefined).val as Handle;
}

/** The response of a request that was answered. */
function respond(future: Handle, fields: [string, Uint8Array][] = []): Handle {
  sink.response({ status: 200, fields });
  return (future.get() as Answer).val.val as Handle;
}

describe("a request", () => {
  it("is passed on as the guest built it", () => {
    const request = newRequest([["X-Mine", bytes("1")]]);
    request.setMethod({ tag: "other", val: "PROPFIND" });
    request.setScheme({ tag: "HTTP" });
    request.setAuthority("a.example:80");
    request.setPathWithQuery("/p?q");
    const options = new http.RequestOptions();
    options.setConnectTimeout(1_500_000n);
    options.setFirstByteTimeout(2n ** 64n - 1n);
    handle(request, options);
    expect(asked).toEqual({
      method: "PROPFIND",
      scheme: "http",
      authority: "a.example:80",
      path: "/p?q",
      fields: [["X-Mine", bytes("1")]],
      hasBody: false,
      connectMs: 2,
      firstByteMs: 86_400_000,
      betweenBytesMs: undefined,
    });
  });

  it("is one of many that are no more than a limit in one call, given up or not", () => {
    for (let sent = 0; sent < FIXED_LIMITS.httpRequests; sent++) send()[Symbol.dispose]();
    const refused = { tag: "err", val: { tag: "connection-limit-reached" } };
    expect(handle(newRequest(), undefined)).toMatchObject(refused);
    expect(told.filter((what) => what === "abort")).toHaveLength(FIXED_LIMITS.httpRequests);
    context.retire();
    context.renew();
    expect(handle(newRequest(), undefined)).toMatchObject({ tag: "err", val: { tag: "HTTP-request-denied" } });
  });

  it("is a secure GET of / where the guest says nothing", () => {
    send();
    expect(asked).toMatchObject({ method: "GET", scheme: "https", authority: "", path: "/" });
  });

  it("sends what was written before it, and then as much as is wanted", async () => {
    const request = newRequest();
    const body = request.body().val as Handle;
    const stream = body.write().val as Handle;
    expect(stream.checkWrite()).toEqual({ tag: "ok", val: BigInt(WINDOW) });
    expect(stream.write(Buffer.alloc(WINDOW - 10))).toMatchObject({ tag: "ok" });
    send(request);
    expect(told).toEqual([`write ${WINDOW - 10}`]);
    const waiting = stream.blockingWriteAndFlush(Buffer.alloc(30)) as Promise<Answer>;
    expect(told).toEqual([`write ${WINDOW - 10}`, "write 10"]);
    sink.wanted(100);
    expect(await waiting).toMatchObject({ tag: "ok" });
    stream[Symbol.dispose]();
    expect(http.OutgoingBody.finish(body, undefined)).toMatchObject({ tag: "ok" });
    expect(told.slice(2)).toEqual(["write 20", "finish"]);
  });

  it("is broken off where its body is dropped, or is not as long as was said", () => {
    const request = newRequest();
    const body = request.body().val as Handle;
    send(request);
    body[Symbol.dispose]();
    expect(told).toEqual(["abort"]);

    const other = newRequest([["content-length", bytes("3")]]);
    const short = other.body().val as Handle;
    send(other);
    expect(http.OutgoingBody.finish(short, undefined)).toEqual({
      tag: "err",
      val: { tag: "HTTP-request-body-size", val: 0n },
    });
    expect(told).toEqual(["abort", "abort"]);
  });

  it("has a body of the length that it was built with, finished before it is sent or after", () => {
    const request = newRequest([["Content-Length", bytes("3")]]);
    const early = request.body().val as Handle;
    const mismatch = { tag: "err", val: { tag: "HTTP-request-body-size", val: 0n } };
    expect(http.OutgoingBody.finish(early, undefined)).toEqual(mismatch);
    send(request);
    expect(told).toEqual(["abort"]);
  });

  it("that says no one length is left to the host to refuse", () => {
    for (const lengths of [["+3"], ["3", "3"], [""]]) {
      const body = newRequest(lengths.map((length) => ["content-length", bytes(length)])).body().val as Handle;
      expect([lengths, http.OutgoingBody.finish(body, undefined)]).toMatchObject([lengths, { tag: "ok" }]);
    }
  });

  it("that is dropped, or may not be sent, takes no more of its body", () => {
    const dropped = newRequest();
    const body = dropped.body().val as Handle;
    const stream = body.write().val as Handle;
    expect(stream.checkWrite()).toMatchObject({ tag: "ok" });
    dropped[Symbol.dispose]();
    expect(stream.checkWrite()).toEqual({ tag: "err", val: { tag: "closed" } });

    for (let sent = 0; sent < FIXED_LIMITS.httpRequests; sent++) send();
    const refused = newRequest();
    const other = (refused.body().val as Handle).write().val as Handle;
    expect(handle(refused, undefined)).toMatchObject({ tag: "err" });
    expect(other.checkWrite()).toEqual({ tag: "err", val: { tag: "closed" } });
  });

  it("takes no trailers, and says so", () => {
    const request = newRequest();
    const body = request.body().val as Handle;
    send(request);
    const trailers = (http.Fields.fromList([["x", bytes("y")]]) as Answer).val as unknown;
    expect(http.OutgoingBody.finish(body, trailers)).toMatchObject({
      tag: "err",
      val: { tag: "internal-error" },
    });
  });
});

describe("a response", () => {
  it("is waited for by poll, beside another one, and taken once", async () => {
    const silent = send();
    const answered = send();
    expect(answered.get()).toBeUndefined();
    const polled = poll([silent.subscribe(), answered.subscribe()]);
    // Of the later request.
    sink.response({ status: 204, fields: [] });
    expect([...(await polled)]).toEqual([1]);
    expect((answered.get() as Answer).val.val.status()).toBe(204);
    expect(answered.get()).toMatchObject({ tag: "err" });
  });

  it("is read as it comes, and what was read is asked for again", async () => {
    const future = send();
    const stream = (respond(future).consume().val as Handle).stream().val as Handle;
    expect(stream.read(10n)).toEqual({ tag: "ok", val: new Uint8Array(0) });
    const waiting = stream.blockingRead(4n) as Promise<Answer>;
    sink.chunk(bytes("hello"));
    expect(Buffer.from((await waiting).val as Uint8Array).toString()).toBe("hell");
    expect(told).toEqual([]);
    expect(stream.blockingRead(2n ** 63n)).toMatchObject({ tag: "ok" });
    expect(told).toEqual(["read 5"]);
    sink.end([]);
    expect(stream.blockingRead(1n)).toEqual({ tag: "err", val: { tag: "closed" } });
  });

  it("that breaks off tells why, once, and is closed then", () => {
    const future = send();
    const stream = (respond(future).consume().val as Handle).stream().val as Handle;
    sink.chunk(bytes("ok"));
    sink.fail({ code: "HTTP-response-body-size", bytes: 7 });
    expect(stream.read(10n)).toMatchObject({ tag: "ok" });
    const failed = stream.read(10n) as Answer;
    expect(failed.val.tag).toBe("last-operation-failed");
    expect(http.httpErrorCode(failed.val.val)).toEqual({ tag: "HTTP-response-body-size", val: 7n });
    expect(stream.read(10n)).toEqual({ tag: "err", val: { tag: "closed" } });
  });

  it("that never came is the failure, with what its case carries", () => {
    const future = send();
    sink.fail({ code: "DNS-error", detail: "ENOTFOUND" });
    expect(future.get()).toEqual({
      tag: "ok",
      val: { tag: "err", val: { tag: "DNS-error", val: { rcode: "ENOTFOUND" } } },
    });
  });

  it("has fields that the guest cannot change, and copies that it can", () => {
    const headers = respond(send(), [["a", bytes("b")]]).headers() as Handle;
    expect(headers.append("x", bytes("y"))).toMatchObject({ tag: "err", val: { tag: "immutable" } });
    expect((headers.clone() as Handle).append("x", bytes("y"))).toMatchObject({ tag: "ok" });
  });

  it("has trailers behind its body, also where the rest is not read", () => {
    const body = respond(send()).consume().val as Handle;
    sink.chunk(Buffer.alloc(100));
    const trailers = http.IncomingBody.finish(body) as Handle;
    expect(told).toEqual(["read 100"]);
    expect(trailers.get()).toBeUndefined();
    sink.chunk(Buffer.alloc(WINDOW));
    sink.end([["x", bytes("y")]]);
    const fields = (trailers.get() as Answer).val.val as Handle;
    expect(fields.entries()).toEqual([["x", bytes("y")]]);
    expect(trailers.get()).toMatchObject({ tag: "err" });
  });

  it.each(["future", "response", "body", "trailers"])("is given up where its %s is dropped", (what) => {
    const future = send();
    if (what === "future") future[Symbol.dispose]();
    else {
      const response = respond(future);
      if (what === "response") response[Symbol.dispose]();
      else {
        const body = response.consume().val as Handle;
        const last = what === "body" ? body : (http.IncomingBody.finish(body) as Handle);
        last[Symbol.dispose]();
      }
    }
    expect(told).toEqual(["abort"]);
  });

  it("and its parts give their handles back", () => {
    for (let turn = 0; turn < FIXED_LIMITS.httpRequests; turn++) {
      const future = send();
      const response = respond(future);
      future[Symbol.dispose]();
      const body = response.consume().val as Handle;
      const stream = body.stream().val as Handle;
      sink.end([]);
      stream[Symbol.dispose]();
      (http.IncomingBody.finish(body) as Handle)[Symbol.dispose]();
      response[Symbol.dispose]();
    }
    // One handle kept back in all of these would be the one too many.
    const { Fields } = http;
    expect(Array.from({ length: MAX_OPEN_HANDLES }, () => new Fields())).toHaveLength(MAX_OPEN_HANDLES);
    expect(trapped).toEqual([]);
  });
});
