import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startHttpServer } from "../../harness/local-server.ts";
import { run, type Run, type RunOptions } from "./run.ts";

const ECHO = "examples/echo-c/echo.wasm";
const NONE = "test/components/gauntlet-none.wasm";
const STORE = "test/components/gauntlet-read-write.wasm";
const FETCHER = "test/components/fetcher.wasm";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "run-"));
  await mkdir(join(folder, "policy"));
  await writeFile(join(folder, "policy/reader.yaml"), "plugin: reader\nallow: [key-value-read]\n");
  await writeFile(
    join(folder, "policy/small.yaml"),
    "plugin: small\nallow: [key-value-read, key-value-write]\nbuckets: { private: [mine] }\n",
  );
});
afterAll(() => rm(folder, { recursive: true }));

/** With a deadline that no busy machine misses. */
function runPlugin(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const timeout = args.includes("--timeout") ? [] : ["--timeout", "30s"];
  return run(["run", ...args, ...timeout], { env: { CACHE_DIR: join(folder, "cache") }, ...options });
}

interface JsonReport {
  readonly error: { readonly code: string; readonly detail?: string } | null;
  readonly [field: string]: unknown;
}

async function report(...args: readonly string[]): Promise<JsonReport> {
  return JSON.parse((await runPlugin([...args, "--json"])).stdout) as JsonReport;
}

describe("run", () => {
  test("prints the reply's body on standard output, and the status and the log on standard error", async () => {
    const { code, stdout, stderr } = await runPlugin([NONE, "log", "said by the plugin", "--id", "seven"]);
    expect([code, stdout]).toEqual([0, ""]);
    expect(stderr).toMatch(/^\d\d:\d\d:\d\d │ said by the plugin$/m);
    expect(stderr).toMatch(/^\d\d:\d\d:\d\d │ warning: said by the plugin$/m);
    expect(stderr).toMatch(/^200 in [\d.]+ ms, id seven\n$/m);
    expect(await runPlugin([ECHO, "hello", "some text"])).toMatchObject({ code: 0, stdout: "some text" });
  });

  test("takes the payload from standard input, and passes every byte through", async () => {
    const bytes = Buffer.from([0, 255, 10, 13]);
    const { stdoutBytes } = await runPlugin([ECHO, "hello", "-"], { stdin: bytes });
    expect(stdoutBytes).toEqual(bytes);
  });

  test("exits with 1 where the plugin fails, and shows why it trapped", async () => {
    expect(await runPlugin([NONE, "err-payload", "no such user"])).toMatchObject({ code: 1, stdout: "" });
    const { code, stderr } = await runPlugin([NONE, "trap"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error plugin-trapped: .*\n {2}RuntimeError: unreachable\n/m);
    expect(await runPlugin([NONE, "status", "404", "--fail"])).toMatchObject({ code: 1 });
  });

  test("exits with 3 at the end of the deadline", async () => {
    expect(await runPlugin([NONE, "loop", "", "--timeout", "50ms"])).toMatchObject({ code: 3 });
  });

  test("writes one JSON object where that is asked for, with what the log says of a failure", async () => {
    expect(await report(ECHO, "hello", "hi", "--id", "one")).toMatchObject({
      ok: true,
      plugin: "echo",
      method: "hello",
      id: "one",
      status: 200,
      body: "hi",
      error: null,
      connectMs: null,
    });
    const { error } = await report(NONE, "trap");
    expect(error).toMatchObject({ code: "plugin-trapped", detail: expect.stringMatching(/^RuntimeError: unreach/) });
  });

  test("writes the log as JSON where that is asked for", async () => {
    const { stderr } = await runPlugin([NONE, "log", "hi", "--log-format", "json"]);
    const records = stderr
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(records.filter(({ source }) => source === "log").map(({ msg }) => msg)).toEqual(["hi", "hi", "hi"]);
  });

  test("says why a component cannot be loaded", async () => {
    const { code, stderr } = await runPlugin(["test/components/probe-trap.wasm"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error probe-failed: get-access-levels trapped/m);
    expect(await runPlugin([join(folder, "missing.wasm")])).toMatchObject({ code: 2 });
  });
});

describe("what a plugin that is run may do", () => {
  test("without a policy, all that it requests in a store of its own, which is empty each time", async () => {
    expect(await runPlugin([STORE, "set", "b\nk\nv"])).toMatchObject({ code: 0 });
    expect(await report(STORE, "get", "b\nk")).toMatchObject({ status: 404 });
  });

  test("with a policy file, what it allows, under its name", async () => {
    const policy = ["--policy", join(folder, "policy/small.yaml")];
    expect(await report(STORE, "set", "mine\nk\nv", ...policy)).toMatchObject({ plugin: "small", status: 200 });
    expect(await report(STORE, "set", "other\nk\nv", ...policy)).toMatchObject({ error: { code: "plugin-error" } });
  });

  test("is denied what the policy does not allow, also by a folder of policies", async () => {
    const reader = await runPlugin([STORE, "get", "b\nk", "--policy", join(folder, "policy/reader.yaml")]);
    expect(reader.code).toBe(1);
    expect(reader.stderr).toMatch(/^error denied: The plugin requests key-value-write, which the policy/m);
    const policies = ["--policy", join(folder, "policy")];
    expect(await report(STORE, "get", "b\nk", ...policies)).toMatchObject({ error: { code: "denied" } });
    expect(await report(STORE, "get", "mine\nk", ...policies, "--plugin", "small")).toMatchObject({ status: 404 });
  });

  test("calls the hosts that are named, and no other", async () => {
    await using server = await startHttpServer((_, response) => response.end("from outside"));
    const origin = `http://${server.authority}`;
    const fields = [0, server.authority, "/", "", "", "", ""].join("\n");
    expect(await report(FETCHER, "http-full", fields)).toMatchObject({ error: { code: "plugin-error" } });
    expect(server.connections).toBe(0);
    const allowed = await report(FETCHER, "http-full", fields, "--allow-host", origin);
    expect(allowed).toMatchObject({ error: null, body: expect.stringContaining("from outside") });
  });

  test("is refused where the flags contradict each other or cannot be read", async () => {
    const policy = ["--policy", join(folder, "policy/small.yaml")];
    const both = await runPlugin([STORE, "get", "", ...policy, "--allow-host", "https://a.example"]);
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining("name the host in the policy")]);
    const other = await runPlugin([STORE, "get", "", ...policy, "--plugin", "other"]);
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining("is the policy of small")]);
    const host = await runPlugin([STORE, "get", "", "--allow-host", "example.com"]);
    expect([host.code, host.stderr]).toEqual([2, expect.stringContaining("write scheme://host")]);
    await writeFile(join(folder, "broken.yaml"), "plugin: broken\nallow: [everything]\n");
    const broken = await runPlugin([STORE, "get", "", "--policy", join(folder, "broken.yaml")]);
    expect([broken.code, broken.stderr]).toEqual([2, expect.stringContaining("broken.yaml:2:9")]);
  });
});
