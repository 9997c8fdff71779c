import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readPayload } from "../../../src/cli/call-payload.ts";
import { parseDurationMs } from "../../../src/cli/duration.ts";
import { run } from "./run.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "call-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe("the payload", () => {
  const empty = Readable.from([]);

  test("is the argument itself, a file after @, or standard input for -", async () => {
    const file = join(folder, "payload.bin");
    await writeFile(file, Buffer.from([0, 255, 10]));
    expect(await readPayload("täxt", empty)).toEqual(Buffer.from("täxt"));
    expect(await readPayload("", empty)).toEqual(Buffer.alloc(0));
    expect(await readPayload(`@${file}`, empty)).toEqual(Buffer.from([0, 255, 10]));
    expect(await readPayload("@@file", empty)).toEqual(Buffer.from("@file"));
    expect(await readPayload("-", Readable.from([Buffer.from("a"), Buffer.from("b")]))).toEqual(Buffer.from("ab"));
  });

  test("that no plugin takes is not read to its end", async () => {
    let chunks = 0;
    const endless = Readable.from(
      (function* produce() {
        for (;;) {
          chunks += 1;
          yield Buffer.alloc(1024 * 1024);
        }
      })(),
    );
    await expect(readPayload("-", endless)).rejects.toMatchObject({ code: "payload-too-large" });
    expect(chunks).toBeLessThan(64);
  });

  test("in a file that is not there is wrong usage", async () => {
    const { code, stderr } = await run(["call", "echo", "m", `@${folder}/missing`]);
    expect(code).toBe(2);
    expect(stderr).toContain(`@${folder}/missing: the payload's file cannot be read`);
  });
});

describe("a duration", () => {
  test.each([
    ["500", 500],
    ["500ms", 500],
    ["5s", 5_000],
    ["1.5s", 1_500],
    ["10m", 600_000],
  ])("%s is %i ms", (text, durationMs) => {
    expect(parseDurationMs("--timeout", text)).toBe(durationMs);
  });

  test.each(["", "0", "5 s", "5h", "-1", "1e3", "11m", "Infinity", "0.0001"])("%j is refused", (text) => {
    expect(() => parseDurationMs("--timeout", text)).toThrow(/--timeout .*for example 500ms, 5s or 1m/);
  });
});

describe("call", () => {
  test.each([
    [["Echo"], "write words of a-z and 0-9"],
    [["echo", "a\nb"], "[method]: write one line"],
    [["echo", "--id", "a b"], "--id: write 1 to 128 visible ASCII characters"],
    [["echo", "--id", "x".repeat(129)], "--id: write 1 to 128"],
    [["echo", "--header", "novalue"], '--header "novalue": write name=value'],
    [["echo", "--header", "a=b\r\nEvil: 1"], "write name=value"],
    [["echo", "--header", "rpc-timeout-ms=5"], "--header rpc-timeout-ms: use --timeout instead"],
    [["echo", "--timeout", "soon"], '--timeout "soon"'],
    [["echo", "--nats", "http://x"], '--nats "http://x"'],
  ])("refuses %j before it connects", async (args, message) => {
    const { code, stdout, stderr } = await run(["call", ...args]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(message);
  });

  test("says that NATS is not there, and exits with 3", async () => {
    const { code, stdout, stderr } = await run(["call", "echo", "--nats", `127.0.0.1:${await closedPort()}`]);
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toMatch(/^error nats-unavailable: .*connecting to nats:\/\/127\.0\.0\.1:\d+/);
  });

  test("says the same as JSON on standard output alone", async () => {
    const args = ["call", "echo", "hello", "--json", "--id", "i", "--nats", `127.0.0.1:${await closedPort()}`];
    const { code, stdout, stderr } = await run(args);
    expect([code, stderr]).toEqual([3, ""]);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      plugin: "echo",
      method: "hello",
      id: "i",
      status: null,
      error: { code: "nats-unavailable", retryable: true },
      body: "",
      roundTripMs: null,
    });
  });

  test("says which credentials file cannot be read", async () => {
    const { code, stderr } = await run(["call", "echo", "--nats-creds", `${folder}/missing.creds`]);
    expect(code).toBe(2);
    expect(stderr).toContain(`the NATS credentials file ${folder}/missing.creds cannot be used: ENOENT`);
  });
});

/** A port that nobody listens on. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}
