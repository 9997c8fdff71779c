import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger } from "../../../src/telemetry/logger.ts";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Workbench, type LocalReply, type WorkbenchOptions } from "../../../src/app-workbench.ts";
import { parseReply } from "../../../src/cli/call-reply.ts";
import type { PluginName } from "../../../src/contract/names.ts";
import { HostError } from "../../../src/errors/host-error.ts";
import type { KeyValueStore } from "../../../src/kv/store.ts";
import { denyAll } from "../../../src/policy/create-policy.ts";
import { requestedPolicy } from "../../../src/policy/requested-policy.ts";
import { NOBODY } from "../../../src/supervisor/sandbox/wall.ts";
import { COMPONENTS } from "../../harness/plugins.ts";
import { childrenOf } from "../../harness/processes.ts";

const NAME = "tried" as PluginName;

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "workbench-"));
});
afterAll(() => rm(folder, { recursive: true }));

interface Lines {
  readonly logger: Logger;
  readonly lines: Record<string, unknown>[];
}

function collectingLogger(): Lines {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
  return { logger: pino({ base: null, formatters: { level: (level) => ({ level }) } }, { write }), lines };
}

async function open(componentPath: string, options: Partial<WorkbenchOptions> = {}): Promise<Workbench> {
  return await Workbench.open({
    name: NAME,
    componentPath,
    policy: (requested) => requestedPolicy(NAME, requested),
    limits: { deadlineMs: 30_000 },
    cacheDir: join(folder, "cache"),
    engine: "auto",
    sandbox: "auto",
    runnerUser: NOBODY,
    logger: collectingLogger().logger,
    ...options,
  });
}

function textOf({ data }: LocalReply): string {
  return Buffer.from(data).toString();
}

function codeOf(reply: LocalReply): string {
  const parsed = parseReply(reply);
  return parsed.kind === "ok" ? String(parsed.status) : parsed.error.code;
}

/** Fields of a payload of the gauntlet. */
function fields(...texts: readonly string[]): Uint8Array {
  return Buffer.from(texts.join("\n"));
}

describe("a workbench", () => {
  test("answers requests with what the plugin replies, its status and the request's id", async () => {
    await using bench = await open(COMPONENTS.gauntlet("none"));
    const reply = await bench.request({ method: "status", payload: Buffer.from("418"), id: "one" });
    expect(parseReply(reply)).toEqual({ kind: "ok", status: 418, id: "one", body: Buffer.from("") });
    expect(textOf(await bench.request({ method: "echo", payload: Buffer.from("grüße") }))).toBe("grüße");
  });

  test("gives each request fresh state, also those at the same time", async () => {
    await using bench = await open(COMPONENTS.gauntlet("none"));
    const replies = await Promise.all(
      Array.from({ length: 8 }, () => bench.request({ method: "count", payload: fields() })),
    );
    expect(replies.map(textOf)).toEqual(Array.from({ length: 8 }, () => "1"));
  });

  test("keeps values in memory until it is closed", async () => {
    {
      await using bench = await open(COMPONENTS.gauntlet("read-write"));
      expect(codeOf(await bench.request({ method: "set", payload: fields("b", "k", "v") }))).toBe("200");
      expect(textOf(await bench.request({ method: "get", payload: fields("b", "k") }))).toBe("v");
    }
    await using other = await open(COMPONENTS.gauntlet("read-write"));
    expect(codeOf(await other.request({ method: "get", payload: fields("b", "k") }))).toBe("404");
  });

  test("uses the store that it is given, with its errors", async () => {
    const store: KeyValueStore = {
      kind: "broken",
      get: () => Promise.reject(new HostError("store-timeout")),
      set: () => Promise.reject(new HostError("store-unavailable")),
      ping: () => Promise.resolve(),
      trouble: () => undefined,
      [Symbol.asyncDispose]: () => Promise.reject(new Error("it is not the workbench's to close")),
    };
    await using bench = await open(COMPONENTS.gauntlet("read-write"), { store });
    const reply = parseReply(await bench.request({ method: "get", payload: fields("b", "k") }));
    expect(reply).toMatchObject({ kind: "error", error: { code: "plugin-error", retryable: true } });
  });

  test("refuses what the policy does not allow, as a replica does", async () => {
    await using bench = await open(COMPONENTS.gauntlet("read-write"), { policy: denyAll(NAME) });
    expect(codeOf(await bench.request({ method: "echo", payload: fields("x") }))).toBe("denied");
  });

  test("applies limits, deadlines and the rules for messages", async () => {
    await using bench = await open(COMPONENTS.gauntlet("none"), { limits: { payloadBytes: 1024 } });
    expect(codeOf(await bench.request({ method: "echo", payload: Buffer.alloc(1025) }))).toBe("payload-too-large");
    expect(codeOf(await bench.request({ method: "loop", payload: fields(), timeoutMs: 50 }))).toBe("deadline-exceeded");
    expect(codeOf(await bench.request({ method: "echo", payload: fields(), id: "not visible" }))).toBe("bad-request");
    expect(codeOf(await bench.request({ method: "trap", payload: fields() }))).toBe("plugin-trapped");
    expect(codeOf(await bench.request({ method: "echo", payload: fields("still here") }))).toBe("200");
  });

  test("logs the plugin's lines and a record of each request", async () => {
    const { logger, lines } = collectingLogger();
    await using bench = await open(COMPONENTS.gauntlet("none"), { logger });
    await bench.request({ method: "log", payload: fields("hello"), id: "seven" });
    expect(lines.filter(({ source }) => source === "log")).toMatchObject(
      ["info", "warn", "error"].map((level) => ({ level, plugin: NAME, id: "seven", msg: "hello" })),
    );
    expect(lines.at(-1)).toMatchObject({ msg: "request", method: "log", id: "seven", status: 200 });
  });

  test("says why a component cannot be loaded, in its state and in each reply", async () => {
    await using bench = await open(COMPONENTS.probe("trap"));
    expect(bench.state).toMatchObject({ kind: "failed", error: { code: "probe-failed" } });
    expect(codeOf(await bench.request({ payload: fields() }))).toBe("plugin-unloadable");
  });

  test("loads a changed file, and keeps the last version that could serve", async () => {
    const path = join(folder, "changing.wasm");
    await copyFile(COMPONENTS.gauntlet("none"), path);
    await using bench = await open(path);
    await copyFile(COMPONENTS.gauntlet("read-write"), path);
    expect(await bench.reload()).toMatchObject({ kind: "replaced" });
    expect(codeOf(await bench.request({ method: "set", payload: fields("b", "k", "v") }))).toBe("200");
    await copyFile(COMPONENTS.probe("trap"), path);
    expect(await bench.reload()).toMatchObject({ kind: "kept", error: { code: "probe-failed" } });
    expect(textOf(await bench.request({ method: "get", payload: fields("b", "k") }))).toBe("v");
  });

  test("leaves no process behind, and answers what was open", async () => {
    const before = new Set(await childrenOf(process.pid));
    const bench = await open(COMPONENTS.gauntlet("none"));
    const open_ = bench.request({ method: "sleep", payload: fields("20000") });
    await bench[Symbol.asyncDispose]();
    expect(codeOf(await open_)).toBe("draining");
    const left = (await childrenOf(process.pid)).filter((pid) => !before.has(pid));
    const commands = await Promise.all(left.map((pid) => readFile(`/proc/${pid}/cmdline`, "latin1").catch(() => "")));
    expect(commands.filter((command) => command.includes("runner"))).toEqual([]);
  });
});
