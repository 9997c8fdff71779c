import { spawn } from "node:child_process";
import { once } from "node:events";
import { buffer, text } from "node:stream/consumers";
import { connect, headers, type Msg, type MsgHdrs, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { startConfiguredNatsServer, startNatsServer } from "../harness/server.ts";
import { type Run, run, type RunOptions } from "../unit/cli/run.ts";

let connection: NatsConnection;
beforeAll(async () => {
  connection = await connect({ servers: inject("natsUrl") });
});
afterAll(() => connection.close());

interface Answer {
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
}

let plugins = 0;

/** A hand-written replica: answers the requests of one plugin and keeps them. */
async function respond(answer: Answer | "nothing"): Promise<{ plugin: string; requests: Msg[] }> {
  plugins += 1;
  const plugin = `call-test-${plugins}`;
  const requests: Msg[] = [];
  connection.subscribe(`rpc.${plugin}`, {
    callback: (_error, message) => {
      requests.push(message);
      if (answer !== "nothing") message.respond(answer.body ?? "", { headers: headersOf(answer.headers ?? {}) });
    },
  });
  await connection.flush();
  return { plugin, requests };
}

function headersOf(entries: Record<string, string>): MsgHdrs {
  const head = headers();
  for (const [name, value] of Object.entries(entries)) head.set(name, value);
  return head;
}

function call(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  return run(["call", "--nats", inject("natsUrl"), ...args], options);
}

const OK = { "Rpc-Status": "200", "Rpc-Id": "id-1" };

describe("the request that call sends", () => {
  test("follows the protocol", async () => {
    const { plugin, requests } = await respond({ headers: OK });
    await call([plugin, "hello", "some text", "--id", "id-1", "--timeout", "2s", "--header", "traceparent=00-x"]);
    expect(requests).toHaveLength(1);
    const [request] = requests;
    expect(request?.string()).toBe("some text");
    const sent = Object.fromEntries([...(request?.headers ?? [])].map(([name, values]) => [name, values.join()]));
    expect(sent).toEqual({
      "Rpc-Method": "hello",
      "Rpc-Id": "id-1",
      "Rpc-Timeout-Ms": "2000",
      traceparent: "00-x",
    });
  });

  test("has no method and an id of its own where none is given", async () => {
    const { plugin, requests } = await respond({ headers: OK });
    await call([plugin]);
    expect(requests[0]?.headers?.has("Rpc-Method")).toBe(false);
    expect(requests[0]?.headers?.get("Rpc-Id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(requests[0]?.data).toHaveLength(0);
  });

  test("takes its payload from standard input", async () => {
    const { plugin, requests } = await respond({ headers: OK });
    await call([plugin, "m", "-"], { stdin: Buffer.from([0, 1, 254, 255]) });
    expect(Buffer.from(requests[0]?.data ?? [])).toEqual(Buffer.from([0, 1, 254, 255]));
  });
});

describe("an answer", () => {
  test("has its body alone on standard output, status, time and id on standard error", async () => {
    const { plugin } = await respond({ headers: OK, body: "bödy" });
    const { code, stdout, stderr } = await call([plugin]);
    expect([code, stdout]).toEqual([0, "bödy"]);
    expect(stderr).toMatch(/^200 in [\d.]+ ms, id id-1\n$/);
  });

  test("is written byte for byte when it is not text", async () => {
    const body = Buffer.from([0, 27, 255, 10, 13]);
    const { plugin } = await respond({ headers: OK, body });
    expect((await call([plugin])).stdoutBytes).toEqual(body);
  });

  test("cannot send control sequences to a terminal, and ends its line there", async () => {
    const { plugin } = await respond({ headers: OK, body: "a\tb\n\u001b[2Jc" });
    expect((await call([plugin], { isTerminal: true })).stdout).toBe("a\tb\n\\u{1b}[2Jc\n");
  });

  test("that is not text is not shown on a terminal", async () => {
    const { plugin } = await respond({ headers: OK, body: Buffer.from([255, 27]) });
    const { code, stdout, stderr } = await call([plugin], { isTerminal: true });
    expect([code, stdout]).toEqual([0, ""]);
    expect(stderr).toContain("2 bytes that are not text");
  });

  test("with a status of 400 or more is a failure only with --fail", async () => {
    const { plugin } = await respond({ headers: { ...OK, "Rpc-Status": "404" }, body: "no" });
    expect(await call([plugin])).toMatchObject({ code: 0, stdout: "no" });
    expect(await call([plugin, "--fail"])).toMatchObject({ code: 1, stdout: "no" });
  });

  test("is one object with --json, its body as text or base64", async () => {
    const text = await respond({ headers: OK, body: "bödy" });
    const { code, stdout, stderr } = await call([text.plugin, "m", "--json"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout.endsWith("}\n")).toBe(true);
    expect(JSON.parse(stdout)).toEqual({
      ok: true,
      plugin: text.plugin,
      method: "m",
      id: "id-1",
      status: 200,
      error: null,
      body: "bödy",
      bodyEncoding: "utf8",
      warnings: [],
      connectMs: expect.any(Number) as number,
      roundTripMs: expect.any(Number) as number,
    });
    const binary = await respond({ headers: OK, body: Buffer.from([255, 0]) });
    const { stdout: json } = await call([binary.plugin, "--json"]);
    expect(JSON.parse(json)).toMatchObject({ body: "/wA=", bodyEncoding: "base64" });
  });
});

describe("an error", () => {
  const DENIED = {
    "Nats-Service-Error": "Denied: key-value-write is not allowed",
    "Nats-Service-Error-Code": "403",
    "Rpc-Error": "denied",
    "Rpc-Retryable": "false",
    "Rpc-Id": "id-1",
  };

  test("is on standard error, with nothing on standard output", async () => {
    const { plugin } = await respond({ headers: DENIED });
    const { code, stdout, stderr } = await call([plugin]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^error denied: Denied: key-value-write is not allowed\n {2}in [\d.]+ ms, id id-1\n$/);
  });

  test("of the plugin shows the plugin's own text, made harmless", async () => {
    const head = { ...DENIED, "Rpc-Error": "plugin-error", "Nats-Service-Error": "first line" };
    const { plugin } = await respond({ headers: head, body: "first line\nsecond \u001b[31mline\n" });
    const { code, stdout, stderr } = await call([plugin]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("error plugin-error: first line\n  first line\n  second \\u{1b}[31mline\n");
  });

  test("says when to try again", async () => {
    const head = { ...DENIED, "Rpc-Error": "overloaded", "Rpc-Retryable": "true", "Retry-After-Ms": "100" };
    const { plugin } = await respond({ headers: head });
    const { code, stderr } = await call([plugin]);
    expect(code).toBe(3);
    expect(stderr).toContain("try again after 100 ms");
  });

  test("is an object with --json, and the exit code is the same", async () => {
    const { plugin } = await respond({ headers: DENIED, body: "x" });
    const { code, stdout, stderr } = await call([plugin, "--json"]);
    expect([code, stderr]).toEqual([1, ""]);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      id: "id-1",
      status: null,
      error: {
        code: "denied",
        message: "Denied: key-value-write is not allowed",
        retryable: false,
        replyCode: 403,
        retryAfterMs: null,
      },
      body: "x",
    });
  });

  test("of someone who does not follow the protocol is told as such", async () => {
    const { plugin } = await respond({ body: "hello" });
    const { code, stdout, stderr } = await call([plugin]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("error bad-reply: the reply has no valid Rpc-Status header");
  });
});

describe("no reply", () => {
  test("because nobody serves the plugin is told at once, with what to check", async () => {
    // Longer than the test may take: only the server's word ends it.
    const { code, stdout, stderr } = await call(["nobody-serves-this", "--timeout", "10m"]);
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toContain("error no-responders: nobody serves rpc.nobody-serves-this: check the plugin's name");
  });

  test("because the replica is silent is told a second after the deadline", async () => {
    const { plugin } = await respond("nothing");
    const startMs = performance.now();
    const { code, stderr } = await call([plugin, "--timeout", "100ms"]);
    expect(performance.now() - startMs).toBeGreaterThan(1_000);
    expect(code).toBe(3);
    expect(stderr).toContain(
      `error deadline-exceeded: no reply within 1100 ms: no replica is found that serves rpc.${plugin}`,
    );
    expect(stderr).toContain("if a replica has taken it, the work may have been done");
  });

  test("because a replica that is there does not answer is told as that", async () => {
    const { plugin } = await respond("nothing");
    connection.subscribe(`$SRV.PING.${plugin}`, { callback: (_error, message) => void message.respond("{}") });
    await connection.flush();
    const { code, stderr } = await call([plugin, "--timeout", "100ms"]);
    expect(code).toBe(3);
    expect(stderr).toContain("a replica serves the plugin and has not answered; the work may have been done");
  });

  test("because the account maps the request to where nobody is, is not told as a plugin that nobody serves", async () => {
    const map = "mappings = { rpc.echo: [ { destination: rpc.elsewhere, weight: 100% } ] }";
    await using server = await startConfiguredNatsServer(map);
    const replica = await connect({ servers: server.url });
    replica.subscribe("rpc.echo");
    replica.subscribe("$SRV.PING.echo", { callback: (_error, message) => void message.respond("{}") });
    await replica.flush();
    const { code, stderr } = await run(["call", "echo", "--nats", server.url]);
    expect(code).toBe(3);
    expect(stderr).toContain("error no-responders: a replica serves echo, but this request reached none");
    expect(stderr).toContain("weights that add up to less than 100 %");
    await replica.close();
  });

  test("because the connection broke is told", async () => {
    await using server = await startNatsServer();
    const replica = await connect({ servers: server.url, reconnect: false });
    const received = Promise.withResolvers<void>();
    replica.subscribe("rpc.echo", { callback: () => received.resolve() });
    await replica.flush();
    const calling = run(["call", "echo", "--nats", server.url, "--timeout", "30s"]);
    await received.promise;
    await server.kill();
    const { code, stderr } = await calling;
    expect(code).toBe(3);
    expect(stderr).toContain(
      "error nats-unavailable: the connection to NATS failed while waiting for the reply of echo",
    );
    await replica.close();
  });
});

describe("the server's own limits", () => {
  test("on the payload are told before anything is sent", async () => {
    await using server = await startNatsServer();
    const { code, stderr } = await run(["call", "echo", "m", "-", "--nats", server.url], {
      stdin: Buffer.alloc(1_048_577),
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /payload-too-large: the request has \d+ bytes, \d+ of them headers; the NATS server takes at most 1048576/,
    );
  });

  test("on a request count its headers: what is one byte too large is told, and what is not is sent", async () => {
    const { plugin, requests } = await respond({ headers: OK });
    const args = [plugin, "m", "-", "--id", "id-1", "--header", "note=ü"];
    const send = (bytes: number): Promise<Run> => call(args, { stdin: Buffer.alloc(bytes) });
    const maxBytes = connection.info?.max_payload ?? 0;
    const refused = await send(maxBytes);
    expect(refused.code).toBe(1);
    const headBytes = Number(/ (\d+) of them headers/.exec(refused.stderr)?.[1]);
    expect((await send(maxBytes - headBytes + 1)).stderr).toContain("error payload-too-large");
    expect((await send(maxBytes - headBytes)).code).toBe(0);
    expect(requests.map(({ data }) => data.length)).toEqual([maxBytes - headBytes]);
  });

  test("on who may connect are told without the password", async () => {
    await using server = await startNatsServer(["--user", "someone", "--pass", "r1ght"]);
    const { host } = new URL(server.url);
    const wrong = await run(["call", "echo", "--nats", `nats://someone:wr0ng@${host}`]);
    expect(wrong.code).toBe(3);
    expect(wrong.stderr).toContain("error nats-unavailable: the NATS server refused the credentials");
    expect(wrong.stderr).not.toContain("wr0ng");
    const right = await run(["call", "echo", "--nats", `nats://someone:r1ght@${host}`]);
    expect(right.stderr).toContain("error no-responders");
  });
});

describe("the executable", () => {
  test("writes a large body into a pipe, whole, and sets its exit code", async () => {
    const body = Buffer.alloc(900_000, "0123456789");
    const { plugin } = await respond({ headers: OK, body });
    const child = spawn(process.execPath, ["src/main.ts", "call", plugin], {
      env: { ...process.env, NATS_URL: inject("natsUrl") },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [stdout, stderr, [code]] = await Promise.all([
      buffer(child.stdout),
      text(child.stderr),
      once(child, "close") as Promise<[number]>,
    ]);
    expect([code, stdout.equals(body)]).toEqual([0, true]);
    expect(stderr).toMatch(/^200 in /);
  });

  test("ends quietly when its reader goes away", async () => {
    const { plugin } = await respond({ headers: OK, body: Buffer.alloc(900_000, "x") });
    const child = spawn(process.execPath, ["src/main.ts", "call", plugin], {
      env: { ...process.env, NATS_URL: inject("natsUrl") },
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stdout.destroy();
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, "close") as Promise<[number]>]);
    expect(code).toBe(141);
    expect(stderr).toMatch(/^200 in [^\n]*\n$/);
  });
});
