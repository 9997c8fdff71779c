/**
 * `network-host dev` as a process of its own, with a real replica and a real NATS server. The package for plugins is a
 * stand-in that takes a prebuilt component, by the name in the source: what a toolchain does is not what these tests are about.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "nats";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { endProcess, type Exit, exited } from "../../scripts/lib/command.ts";
import { until } from "../../scripts/lib/until.ts";
import { openLocalNats } from "../../src/local-nats/local-nats.ts";
import { natsAnswers } from "../../src/local-nats/nats-probe.ts";
import { COMPONENTS, projectFile, uniqueName } from "../harness/plugins.ts";
import { childrenOf } from "../harness/processes.ts";
import { request } from "../harness/request.ts";
import { writeFiles } from "../unit/project/fake-tools.ts";

/** Builds what the source names; `mistake` is one at a place in the source. */
const BUILDER = `import { copyFileSync, readFileSync } from "node:fs";
const source = readFileSync("plugin.ts", "utf8").trim();
if (source === "mistake") { console.error("plugin.ts(1,1): error: a mistake"); process.exit(1); }
copyFileSync(source, "plugin.wasm");
`;

const WAIT_MS = 120_000;

let folder: string;
let name: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dev-"));
  name = uniqueName("dev");
  const manifest = { name, type: "module", devDependencies: { "network-plugin-api": "1.0.0" } };
  await writeFiles(folder, {
    "package.json": JSON.stringify(manifest),
    "node_modules/network-plugin-api/dist/cli.js": BUILDER,
    "fake-bin/npm": "#!/bin/sh\nexit 0\n",
    [`policy/${name}.yaml`]: `plugin: ${name}\nallow: [key-value-read, key-value-write]\n`,
  });
  await chmod(join(folder, "fake-bin/npm"), 0o755);
});
afterEach(() => rm(folder, { recursive: true }));

interface Dev extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly said: () => string;
  /** Waits for this in what it says from now on, or from the last match. */
  says(pattern: RegExp): Promise<void>;
  readonly ended: Promise<Exit>;
}

function startDev(args: readonly string[], env: Readonly<Record<string, string>>): Dev {
  const child = spawn(process.execPath, [projectFile("src/main.ts"), "dev", ...args, "--folder", folder], {
    env: {
      PATH: `${join(folder, "fake-bin")}:${process.env["PATH"]}`,
      HOME: process.env["HOME"] ?? folder,
      CACHE_DIR: inject("artifactCache"),
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
  const ended = exited(child);
  let from = 0;
  return {
    child,
    said: () => said,
    ended,
    async says(pattern) {
      await until(() => pattern.test(said.slice(from)) || child.exitCode !== null, {
        what: `dev says ${pattern.source} after ${JSON.stringify(said.slice(from))}`,
        timeoutMs: WAIT_MS,
      });
      const match = pattern.exec(said.slice(from));
      if (match === null) throw new Error(`dev ended:\n${said}`);
      from += match.index + match[0].length;
    },
    [Symbol.asyncDispose]: async () => void (await endProcess(child, 30_000)),
  };
}

async function save(source: string): Promise<void> {
  await writeFile(join(folder, "plugin.ts"), `${source}\n`);
}

test("serves at each save what was built, asks it, and keeps the last good version", async () => {
  await save(COMPONENTS.gauntlet("none"));
  const args = ["echo", "some text", "--timeout", "30s"];
  await using dev = startDev(args, { NATS_URL: inject("natsUrl") });
  await dev.says(/built.*plugin\.wasm(.|\n)*200 in .*\n(.*\n)*/);
  await dev.says(/the smallest policy that would do:\n {2}plugin: .*\n {2}allow: \[\]\n/);
  expect(dev.said()).toContain("some text");
  const nats = await connect({ servers: inject("natsUrl") });
  try {
    const ask = (method: string, payload = "") => request(nats, `rpc.${name}.${method}`, payload);
    expect(await ask("status", "418")).toMatchObject({ status: 418 });
    await dev.says(/status → 418 in /);
    // A mistake, and a component that traps when it is asked for its levels: what served goes on.
    await save("mistake");
    await dev.says(
      /plugin\.ts\(1,1\): error: a mistake\nerror build-failed: .*\nthe last good version goes on serving; waiting for a save/,
    );
    await save(COMPONENTS.probe("trap"));
    await dev.says(/the new version is refused; the old one goes on serving\n.*get-access-levels trapped/);
    expect(await ask("echo", "still here")).toMatchObject({ status: 200, text: "still here" });
    await save(COMPONENTS.gauntlet("read-write"));
    await dev.says(
      /200 in (.|\n)*the smallest policy that would do:\n(.|\n)*allow: \[key-value-read, key-value-write\]/,
    );
    expect(await ask("set", "b\nk\nv")).toMatchObject({ status: 200 });
  } finally {
    await nats.close();
  }
  dev.child.kill("SIGINT");
  expect(await dev.ended).toEqual({ code: 0, signal: null });
});

test("says which policy would do where the plugin is denied", async () => {
  await rm(join(folder, "policy"), { recursive: true });
  await save(COMPONENTS.gauntlet("write"));
  await using dev = startDev([], { NATS_URL: inject("natsUrl") });
  await dev.says(/plugin denied: The plugin requests key-value-write, which the policy does not allow/);
  await dev.says(/the smallest policy that would do:\n(.|\n)*allow: \[key-value-write\]/);
});

test("ends at a signal while it builds, and leaves no process behind", async () => {
  await writeFiles(folder, { "node_modules/network-plugin-api/dist/cli.js": "setTimeout(() => undefined, 600_000);" });
  await save("anything");
  await using dev = startDev([], { NATS_URL: inject("natsUrl") });
  await dev.says(/cli\.js build/);
  const pid = dev.child.pid ?? 0;
  await until(async () => (await childrenOf(pid)).length > 0, { what: "the builder runs" });
  const children = await childrenOf(pid);
  dev.child.kill("SIGTERM");
  expect(await dev.ended).toEqual({ code: 0, signal: null });
  await until(async () => (await Promise.all(children.map(isGone))).every(Boolean), { what: "the builder has ended" });
});

async function isGone(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

test("a NATS server of this machine is used where one answers, and else started and ended", async () => {
  const obtaining = { report: () => undefined, signal: new AbortController().signal };
  const address = { host: "127.0.0.1", port: 4222 };
  const wasThere = await natsAnswers(address);
  const server = await openLocalNats(obtaining);
  const port = Number(new URL(server.url).port);
  expect(await natsAnswers({ ...address, port })).toBe(true);
  expect(server.origin).toMatch(wasThere ? /^already running here$/ : /^started: /);
  await server[Symbol.asyncDispose]();
  expect(await natsAnswers({ ...address, port })).toBe(wasThere);
});
