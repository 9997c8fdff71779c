import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { freePort } from "../../../src/local-nats/free-port.ts";
import { FIXED_LIMITS } from "../../../src/contract/limits.ts";
import type { FoundAddresses, Resolve } from "../../../src/egress/undici/resolver.ts";
import { type Ended, found, Sender } from "./exchanges.ts";
import { RawServer } from "./raw-server.ts";

const LOOPBACK = ["http://127.0.0.1:*", "http://localhost:*"];
const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

const failed = (code: string): unknown => ({ kind: "fail", failure: expect.objectContaining({ code }) as unknown });

function lines(text: string): string[] {
  return text.split("\r\n").filter((line) => line !== "");
}

describe("a request on the wire", () => {
  test("holds what the plugin gave and a host of ours, and nothing else", async () => {
    await using server = await RawServer.answering(OK);
    await using sender = new Sender(LOOPBACK);
    const fields = [
      ["X-Mine", Buffer.from("a")],
      ["x-mine", Buffer.from("\xe9", "latin1")],
    ] as const;
    const receiver = sender.open(`http://127.1:${server.port}/path?q=1`, { fields });
    expect(await receiver.ended).toEqual({ kind: "end", trailers: [] });
    expect(receiver.body.toString()).toBe("ok");
    expect(lines(server.received)).toEqual([
      "GET /path?q=1 HTTP/1.1",
      `host: 127.0.0.1:${server.port}`,
      "connection: keep-alive",
      "X-Mine: a",
      "x-mine: \xe9",
    ]);
  });

  test("has the length that the plugin gave, or is chunked", async () => {
    await using server = await RawServer.listen((received, socket) => {
      if (received.endsWith("body") || received.endsWith("0\r\n\r\n")) socket.end(OK);
    });
    await using sender = new Sender(LOOPBACK);
    for (const bytes of [4, undefined]) {
      const receiver = sender.open(`http://127.0.0.1:${server.port}/`, {
        method: "POST",
        body: { kind: "stream", bytes },
      });
      receiver.exchange?.write(Buffer.from("bo"));
      receiver.exchange?.write(Buffer.from("dy"));
      receiver.exchange?.finish();
      expect(await receiver.ended).toMatchObject({ kind: "end" });
    }
    const [first = "", second = ""] = server.received.split("POST / ").slice(1);
    expect(first).toContain("content-length: 4\r\n\r\nbody");
    expect(second).toContain("transfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n");
    expect(second).not.toContain("content-length");
  });

  test("has no body where a body of GET turns out to be empty", async () => {
    await using server = await RawServer.answering(OK);
    await using sender = new Sender(LOOPBACK);
    const receiver = sender.open(`http://127.0.0.1:${server.port}/`, { body: { kind: "stream", bytes: undefined } });
    receiver.exchange?.finish();
    expect(await receiver.ended).toMatchObject({ kind: "end" });
    expect(server.received).not.toMatch(/content-length|transfer-encoding/i);
  });

  test.each([
    [3, "content-length: 3"],
    [5, "content-length: 5"],
  ])("fails where the body is not the %i bytes that the plugin said", async (bytes) => {
    await using server = await RawServer.listen(() => undefined);
    await using sender = new Sender(LOOPBACK);
    const receiver = sender.open(`http://127.0.0.1:${server.port}/`, {
      method: "POST",
      body: { kind: "stream", bytes },
    });
    receiver.exchange?.write(Buffer.from("body"));
    receiver.exchange?.finish();
    expect(await receiver.ended).toEqual(failed("HTTP-request-body-size"));
  });

  test("is taken at the server's pace", async () => {
    await using server = await RawServer.listen((_, socket) => socket.pause());
    await using sender = new Sender(LOOPBACK);
    const receiver = sender.open(`http://127.0.0.1:${server.port}/`, {
      method: "POST",
      body: { kind: "stream", bytes: undefined },
    });
    const block = Buffer.alloc(FIXED_LIMITS.httpWindowBytes);
    let sentBytes = 0;
    // The buffers of the two sockets take some megabytes; then nothing more is wanted.
    for (let silent = false; !silent;) {
      receiver.exchange?.write(block);
      sentBytes += block.length;
      const before = receiver.wantedBytes;
      const more = receiver.until(() => receiver.wantedBytes > before).then(() => false);
      // Nothing tells of a word that does not come.
      silent = await Promise.race([more, new Promise<boolean>((resolve) => setTimeout(resolve, 300, true))]);
      expect(sentBytes).toBeLessThan(64 * 1024 * 1024);
    }
    expect(receiver.wantedBytes).toBeLessThan(sentBytes);
    receiver.exchange?.abort();
    await receiver.exchange?.closed;
  });
});

describe("a response", () => {
  test("is passed on as it is: redirects are not followed, content is not decoded", async () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000));
    await using server = await listen((request, response) => {
      if (request.url === "/redirect") response.writeHead(302, { location: "http://169.254.169.254/latest/" }).end();
      else response.writeHead(200, { "content-encoding": "gzip" }).end(bomb);
    });
    await using sender = new Sender(LOOPBACK);
    const redirected = sender.open(`http://127.0.0.1:${server.port}/redirect`);
    const { status, fields } = await redirected.responded;
    expect(status).toBe(302);
    expect(fields.map(([name, value]) => [name, Buffer.from(value).toString()])).toContainEqual([
      "location",
      "http://169.254.169.254/latest/",
    ]);
    const packed = sender.open(`http://127.0.0.1:${server.port}/bomb`);
    await packed.ended;
    expect(packed.body).toEqual(bomb);
    expect(server.requests).toBe(2);
  });

  test("has every field, repeated ones as often as they were sent, but for those of the connection", async () => {
    await using server = await RawServer.answering(
      "HTTP/1.1 103 Early Hints\r\nx-early: 1\r\n\r\n" +
        "HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nset-cookie: b\r\nconnection: keep-alive\r\nkeep-alive: timeout=5\r\n" +
        "proxy-authenticate: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-sum: \xe9\r\n\r\n",
    );
    await using sender = new Sender(LOOPBACK);
    const receiver = sender.open(`http://127.0.0.1:${server.port}/`);
    expect((await receiver.responded).fields).toEqual([
      ["Set-Cookie", Buffer.from("a")],
      ["set-cookie", Buffer.from("b")],
    ]);
    expect(await receiver.ended).toEqual({ kind: "end", trailers: [["x-sum", Buffer.from("\xe9", "latin1")]] });
  });

  test("of more fields than a plugin's process takes is refused, and so are its trailers", async () => {
    const fields = (count: number): string => Array.from({ length: count }, () => "a: b\r\n").join("");
    const head = "HTTP/1.1 200 OK\r\n";
    const chunked = "transfer-encoding: chunked\r\n\r\n0\r\n";
    await using sender = new Sender(LOOPBACK);
    for (const [count, code] of [
      [1_024, undefined],
      [1_025, "HTTP-response-header-section-size"],
    ] as const) {
      await using server = await RawServer.answering(`${head}${fields(count)}${chunked}\r\n`);
      const ended = await sender.open(`http://localhost:${server.port}/`).ended;
      expect(ended.kind === "fail" ? ended.failure.code : undefined).toBe(code);
    }
    await using server = await RawServer.answering(`${head}${chunked}${fields(1_025)}\r\n`);
    expect(await sender.open(`http://localhost:${server.port}/`).ended).toMatchObject({
      kind: "fail",
      failure: { code: "HTTP-response-trailer-section-size" },
    });
  });

  test("that is announced again and again is given up, and one that is announced is taken", async () => {
    const early = "HTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\n";
    const response = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    await using sender = new Sender(LOOPBACK);
    await using polite = await RawServer.answering(early + response);
    expect((await sender.open(`http://localhost:${polite.port}/`).ended).kind).toBe("end");
    await using endless = await RawServer.answering(early.repeat(17) + response);
    expect(await sender.open(`http://localhost:${endless.port}/`).ended).toMatchObject({
      kind: "fail",
      failure: { code: "HTTP-protocol-error" },
    });
  });

  test("without end is read at the reader's pace, a window ahead at most", async () => {
    await using server = await listen((_, response) => {
      const pour = (): void => {
        while (response.write(Buffer.alloc(64 * 1024)));
      };
      response.on("drain", pour);
      pour();
    });
    await using sender = new Sender(LOOPBACK);
    const receiver = sender.open(`http://127.0.0.1:${server.port}/`, {}, "held");
    await receiver.until(() => receiver.body.length >= FIXED_LIMITS.httpWindowBytes);
    for (let read = 0; read < 40; read++) {
      expect(receiver.body.length).toBe(FIXED_LIMITS.httpWindowBytes + read * 50_000);
      receiver.exchange?.read(50_000);
      await receiver.until(() => receiver.body.length >= FIXED_LIMITS.httpWindowBytes + (read + 1) * 50_000);
    }
    receiver.exchange?.abort();
    await receiver.exchange?.closed;
  });

  test.each<[string, string, string]>([
    [
      "with headers beyond the limit",
      `HTTP/1.1 200 OK\r\nx: ${"v".repeat(40_000)}\r\n\r\n`,
      "HTTP-response-header-section-size",
    ],
    [
      "with trailers beyond the limit",
      `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n${"x: y\r\n".repeat(6_000)}\r\n`,
      "HTTP-response-trailer-section-size",
    ],
    ["that is not HTTP", "SSH-2.0-OpenSSH_9.6\r\n\r\n", "HTTP-protocol-error"],
    [
      "that upgrades unasked",
      "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
      "connection-terminated",
    ],
    ["with two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab", "HTTP-protocol-error"],
    [
      "with one length twice",
      "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nab",
      "HTTP-protocol-error",
    ],
    [
      "with a length and chunks",
      "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
      "HTTP-protocol-error",
    ],
    ["with a folded field", "HTTP/1.1 200 OK\r\nx: a\r\n b\r\ncontent-length: 0\r\n\r\n", "HTTP-protocol-error"],
    ["with bare line feeds", "HTTP/1.1 200 OK\ncontent-length: 0\n\n", "HTTP-protocol-error"],
    ["with a control in a field", "HTTP/1.1 200 OK\r\nx: a\x01\r\ncontent-length: 0\r\n\r\n", "HTTP-protocol-error"],
    ["with space before a colon", "HTTP/1.1 200 OK\r\nx : a\r\ncontent-length: 0\r\n\r\n", "HTTP-protocol-error"],
    ["whose status is below 100", "HTTP/1.1 099 No\r\ncontent-length: 0\r\n\r\n", "HTTP-protocol-error"],
    [
      "that an unasked 100 (Continue) announces",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
      "connection-terminated",
    ],
    [
      "in a transfer coding that is not undone here",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
      "HTTP-response-transfer-coding",
    ],
  ])("%s is an error", async (_name, response, code) => {
    await using server = await RawServer.answering(response);
    await using sender = new Sender(LOOPBACK);
    expect(await sender.open(`http://127.0.0.1:${server.port}/`).ended).toEqual(failed(code));
  });

  test.each<[string, string, readonly [number, string, string?]]>([
    ["without a reason", "HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nok", [200, "ok"]],
    ["behind an empty line", `\r\n${OK}`, [200, "ok"]],
    ["of a status that nobody has defined", "HTTP/1.1 799 Odd\r\ncontent-length: 0\r\n\r\n", [799, ""]],
    ["until the connection is closed", "HTTP/1.1 200 OK\r\n\r\nok", [200, "ok"]],
    ["of HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nok", [200, "ok"]],
    [
      "in chunks with extensions, whatever the case",
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2;a=b;c="d"\r\nok\r\n0;e\r\n\r\n',
      [200, "ok"],
    ],
    ["with the length of what is not sent again", "HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n", [304, ""]],
    ["without content", "HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n", [204, ""]],
    ["behind others", `HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n${OK}`, [200, "ok"]],
    [
      "with white space around a value",
      "HTTP/1.1 200 OK\r\nx:\t a  b \t\r\ncontent-length: 0\r\n\r\n",
      [200, "", "a  b"],
    ],
    ["with an empty value", "HTTP/1.1 200 OK\r\nx: \r\ncontent-length: 0\r\n\r\n", [200, "", ""]],
  ])("%s is one", async (_name, response, [status, body, x]) => {
    await using server = await RawServer.listen((received, socket) => {
      if (received.endsWith("\r\n\r\n")) socket.end(response, "latin1");
    });
    await using sender = new Sender(LOOPBACK);
    const receiver = sender.open(`http://127.0.0.1:${server.port}/`);
    expect(await receiver.ended).toEqual({ kind: "end", trailers: [] });
    const head = await receiver.responded;
    expect([head.status, receiver.body.toString()]).toEqual([status, body]);
    if (x !== undefined) expect(head.fields).toContainEqual(["x", Buffer.from(x)]);
  });

  test("to HEAD has the length of what GET would have brought, and no body", async () => {
    await using server = await RawServer.answering("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n");
    await using sender = new Sender(LOOPBACK);
    const receiver = sender.open(`http://127.0.0.1:${server.port}/`, { method: "HEAD" });
    expect(await receiver.ended).toEqual({ kind: "end", trailers: [] });
    expect((await receiver.responded).fields).toEqual([["content-length", Buffer.from("1000")]]);
    expect(receiver.body.length).toBe(0);
  });

  test("that comes before the request's body is whole is the response", async () => {
    await using server = await RawServer.listen((received, socket) => {
      if (received.includes("\r\n\r\n")) socket.end("HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nbig");
    });
    await using sender = new Sender(LOOPBACK);
    const receiver = sender.open(`http://127.0.0.1:${server.port}/`, {
      method: "POST",
      body: { kind: "stream", bytes: undefined },
    });
    receiver.exchange?.write(Buffer.alloc(1_000));
    expect((await receiver.responded).status).toBe(413);
    expect(await receiver.ended).toEqual({ kind: "end", trailers: [] });
    expect(receiver.body.toString()).toBe("big");
  });

  test("that ends early is incomplete", async () => {
    await using server = await RawServer.listen((_, socket) =>
      socket.end("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nok"),
    );
    await using sender = new Sender(LOOPBACK);
    const receiver = sender.open(`http://127.0.0.1:${server.port}/`);
    expect(await receiver.ended).toEqual(failed("HTTP-response-incomplete"));
    expect(receiver.body.toString()).toBe("ok");
  });

  test("that does not begin, or falls silent, is given up", async () => {
    await using server = await RawServer.listen((received, socket) => {
      if (received.includes("/begin")) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nok");
      // A byte now and then is not a beginning.
      if (received.includes("/trickle")) socket.write("HTTP/1.1 200 OK\r\nx: ");
    });
    await using sender = new Sender(LOOPBACK);
    const late = { firstByteMs: 100, betweenBytesMs: 30_000 };
    const silent = { firstByteMs: 30_000, betweenBytesMs: 100 };
    const origin = `http://127.0.0.1:${server.port}`;
    expect(await sender.open(`${origin}/silent`, late).ended).toEqual(failed("HTTP-response-timeout"));
    expect(await sender.open(`${origin}/trickle`, late).ended).toEqual(failed("HTTP-response-timeout"));
    expect(await sender.open(`${origin}/begin`, silent).ended).toEqual(failed("connection-read-timeout"));
  });
});

describe("an address", () => {
  test("that a name resolves to is decided on when it is dialled, each time anew", async () => {
    await using server = await RawServer.answering(OK.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n"));
    const answers = [["127.0.0.1"], ["169.254.169.254", "10.0.0.1", "::1"]];
    const asked: string[] = [];
    const resolve: Resolve = (name) => {
      asked.push(name);
      return found(answers.shift() ?? []);
    };
    await using sender = new Sender(["http://rebind.example:*", "http://127.0.0.0/8:*"], { resolve });
    const url = `http://rebind.example:${server.port}/`;
    expect(await sender.open(url).ended).toMatchObject({ kind: "end" });
    expect(await sender.open(url).ended).toEqual(failed("destination-IP-prohibited"));
    expect(asked).toEqual(["rebind.example", "rebind.example"]);
    expect(server.connections).toBe(1);
  });

  test("of loopback is not dialled for a name, however it is answered", async () => {
    await using server = await RawServer.answering(OK);
    for (const address of [
      "127.0.0.1",
      "::ffff:127.0.0.1",
      "0.0.0.0",
      "::1",
      "::",
      "64:ff9b::7f00:1",
      "127.0.0.1%lo",
    ]) {
      await using sender = new Sender(["*://*:*"], { resolve: () => found([address]) });
      expect(await sender.open(`http://rebind.example:${server.port}/`).ended, address).toEqual(
        failed("destination-IP-prohibited"),
      );
    }
    expect(server.connections).toBe(0);
  });

  test("that is allowed is dialled where others of the same name are not", async () => {
    await using server = await RawServer.answering(OK);
    const resolve: Resolve = () => found(["10.0.0.1", "127.0.0.1", "::1"]);
    await using sender = new Sender(["http://name.example:*", "http://127.0.0.1:*"], { resolve });
    expect(await sender.open(`http://name.example:${server.port}/`).ended).toMatchObject({ kind: "end" });
    expect(server.received).toContain(`host: name.example:${server.port}\r\n`);
  });

  test("that a name led to is told for each connection, and one that was asked for is not", async () => {
    await using server = await RawServer.answering(OK);
    const resolve: Resolve = () => found(["10.0.0.1", "127.0.0.1"]);
    await using sender = new Sender(["http://name.example:*", "http://127.0.0.1:*"], { resolve });
    for (const host of ["name.example", "name.example", "127.0.0.1"])
      expect(await sender.open(`http://${host}:${server.port}/`).ended).toMatchObject({ kind: "end" });
    const told = `http://name.example:${server.port} at 127.0.0.1`;
    expect(sender.connected).toEqual([told, told]);
  });

  test("of localhost is loopback without a look-up", async () => {
    await using server = await RawServer.answering(OK);
    const resolve: Resolve = () => Promise.reject(new Error("localhost was looked up"));
    await using sender = new Sender(LOOPBACK, { resolve });
    expect(await sender.open(`http://localhost:${server.port}/`).ended).toMatchObject({ kind: "end" });
  });

  test("that nobody knows or listens on is an error of its own", async () => {
    const resolve: Resolve = (name) =>
      Promise.reject(Object.assign(new Error(name), { code: name === "slow.example" ? "ETIMEOUT" : "ENOTFOUND" }));
    await using sender = new Sender(["http://*:*", ...LOOPBACK], { resolve });
    expect(await sender.open("http://slow.example/").ended).toEqual(failed("DNS-timeout"));
    expect(await sender.open("http://none.example/").ended).toEqual({
      kind: "fail",
      failure: { code: "DNS-error", detail: "ENOTFOUND" },
    });
    const port = await freePort();
    expect(await sender.open(`http://127.0.0.1:${port}/`).ended).toEqual(failed("connection-refused"));
  });

  test("that is looked up for too long is given up, and its place kept until then", async () => {
    const answer = Promise.withResolvers<FoundAddresses>();
    await using sender = new Sender(["http://*:*"], { resolve: () => answer.promise });
    const receiver = sender.open("http://slow.example/", { connectMs: 50 });
    expect(await receiver.ended).toEqual(failed("DNS-timeout"));
    let closed = false;
    void receiver.exchange?.closed.then(() => (closed = true));
    await Promise.resolve();
    expect(closed).toBe(false);
    answer.resolve(await found(["127.0.0.1"]));
    await receiver.exchange?.closed;
  });
});

describe("a connection", () => {
  test("is used again by the same plugin, and by no other", async () => {
    await using server = await RawServer.listen((received, socket) => {
      if (received.endsWith("\r\n\r\n")) socket.write(OK);
    });
    await using one = new Sender(LOOPBACK);
    await using other = new Sender(LOOPBACK);
    const url = `http://127.0.0.1:${server.port}/`;
    for (const sender of [one, one, one]) {
      await sender.open(url).ended;
      // A connection is free again a turn of the event loop later.
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(server.connections).toBe(1);
    await other.open(url).ended;
    expect(server.connections).toBe(2);
  });

  test("is kept for a little while, and no longer", async () => {
    await using server = await RawServer.answering(OK);
    await using sender = new Sender(LOOPBACK);
    await sender.open(`http://127.0.0.1:${server.port}/`).ended;
    expect(server.openConnections).toBe(1);
    await expect.poll(() => server.openConnections, { timeout: FIXED_LIMITS.httpIdleMs + 30_000 }).toBe(0);
  });

  test("is kept to so many origins, and to no more", async () => {
    // None is answered before the limit was met: a connection without a request is not kept for long.
    const answers: (() => void)[] = [];
    await using server = await RawServer.listen((received, socket) => {
      if (received.endsWith("\r\n\r\n")) answers.push(() => socket.write(OK, "latin1"));
    });
    const resolve: Resolve = () => found(["127.0.0.1"]);
    await using sender = new Sender(["http://*.example:*", "http://127.0.0.1:*"], { resolve });
    const open = (name: number): Promise<Ended> => sender.open(`http://${name}.a.example:${server.port}/`).ended;
    const kept = Array.from({ length: FIXED_LIMITS.httpOrigins }, (_, name) => open(name));
    expect(await open(FIXED_LIMITS.httpOrigins)).toEqual(failed("connection-limit-reached"));
    const again = open(0);
    await expect.poll(() => answers.length).toBe(FIXED_LIMITS.httpOrigins + 1);
    for (const answer of answers) answer();
    expect(new Set((await Promise.all([...kept, again])).map(({ kind }) => kind))).toEqual(new Set(["end"]));
  });

  test("ends with its client", async () => {
    await using server = await RawServer.answering(OK);
    const sender = new Sender(LOOPBACK);
    await sender.open(`http://127.0.0.1:${server.port}/`).ended;
    const hanging = sender.open(`http://127.0.0.1:${server.port}/`, {
      method: "POST",
      body: { kind: "stream", bytes: 5 },
    });
    await sender[Symbol.asyncDispose]();
    expect(await hanging.ended).toMatchObject({ kind: "fail" });
    await expect.poll(() => server.openConnections).toBe(0);
  });

  test("uses no proxy of the environment", async () => {
    await using proxy = await RawServer.answering(OK);
    await using server = await RawServer.answering(OK);
    process.env["HTTP_PROXY"] = process.env["http_proxy"] = `http://127.0.0.1:${proxy.port}`;
    try {
      await using sender = new Sender(LOOPBACK);
      await sender.open(`http://127.0.0.1:${server.port}/`).ended;
      expect([server.connections, proxy.connections]).toEqual([1, 0]);
    } finally {
      delete process.env["HTTP_PROXY"];
      delete process.env["http_proxy"];
    }
  });
});

interface HttpServer extends AsyncDisposable {
  readonly port: number;
  readonly requests: number;
}

async function listen(answer: Parameters<typeof createServer>[1]): Promise<HttpServer> {
  let requests = 0;
  const server: Server = createServer(answer).on("request", () => (requests += 1));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    get requests() {
      return requests;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
