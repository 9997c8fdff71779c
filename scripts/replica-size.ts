/**
 * `npm run build && node scripts/replica-size.ts`: how large a replica is, as docs/operations.md has it. Starts NATS and a
 * replica with a plugin of each language, sends each a few requests, and prints what the host and each plugin's process take.
 *
 * Compilation is told as processor time of `network-host compile`, less that of a compilation that finds everything done: what
 * else runs on the machine counts little then.
 */

import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { arch, platform, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connect } from "nats";
import type { StatusReport } from "../src/control/report.ts";
import { endProcess, run } from "./lib/command.ts";
import { freePort } from "../src/local-nats/free-port.ts";
import { ROOT } from "./lib/project.ts";
import { obtainServer } from "./servers/binaries.ts";
import { natsAnswers } from "../src/local-nats/nats-probe.ts";
import { GO_TEST_PLUGINS } from "./toolchains/catalogue.ts";
import { buildGoPlugin } from "./toolchains/go.ts";
import { buildPythonPlugin } from "./toolchains/python.ts";

const MAIN = join(ROOT, "dist/main.js");
const PATIENCE_MS = 180_000;
const REQUESTS = 5;

interface Measured {
  readonly pid: number;
  readonly residentMb: number;
  readonly ownMb: number;
  readonly threads: number;
  readonly descriptors: number;
}

const components: Readonly<Record<string, string>> = {
  "C (`echo`)": join(ROOT, "examples/echo-c/echo.wasm"),
  "Rust (`user-data-rust`)": join(ROOT, "examples/user-data-rust/user-data-rust.wasm"),
  "TypeScript (`user-data-ts`)": join(ROOT, "examples/user-data-ts/user-data-ts.wasm"),
  "Go (`fetch-go`)": await buildGoPlugin(GO_TEST_PLUGINS.fetch),
  "Python (`fetch-python`)": await buildPythonPlugin("fetch-python", "test/plugins/fetch-python"),
};

const folder = await mkdtemp(join(tmpdir(), "replica-size-"));
const cache = join(folder, "cache");
const control = join(folder, "control");
const port = await freePort();
const nats = spawn(await obtainServer("nats-server"), ["-a", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
try {
  await waitFor(() => natsAnswers({ host: "127.0.0.1", port }), "NATS answers");
  const compiled = new Map<string, string>();
  for (const [language, path] of Object.entries(components)) compiled.set(language, await compileTime(path));
  await measure(compiled);
} finally {
  await endProcess(nats, PATIENCE_MS);
  await rm(folder, { recursive: true, force: true });
}

async function measure(compiled: ReadonlyMap<string, string>): Promise<void> {
  const languages = Object.keys(components);
  const plugins = Object.values(components).map((component, index) => ({ name: `plugin-${index}`, component }));
  await mkdir(join(folder, "policy"));
  const levels = ["key-value-read", "key-value-write", "outbound-http"];
  for (const { name } of plugins) {
    const policy = { plugin: name, allow: levels, hosts: ["http://127.0.0.1:1"] };
    await writeFile(join(folder, "policy", `${name}.yaml`), JSON.stringify(policy));
  }
  const limits = { deadlineMs: 60_000, idleMs: 600_000 };
  await writeFile(join(folder, "consumer.yaml"), JSON.stringify({ group: "size", plugins, limits }));
  const flags = {
    nats: `127.0.0.1:${port}`,
    consumer: "consumer.yaml",
    policy: "policy",
    cache,
    control,
    sqlite: "x.db",
  };
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
  const replica = spawn(process.execPath, [MAIN, "serve", ...args], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
  try {
    await waitFor(async () => {
      if (replica.exitCode !== null) throw new Error("the replica has ended");
      return (await status())?.state === "ready";
    }, "the replica is ready");
    const client = await connect({ servers: `127.0.0.1:${port}` });
    for (const { name } of plugins) {
      for (let sent = 0; sent < REQUESTS; sent += 1)
        await client.request(`rpc.${name}.process`, "GET\nhttp://127.0.0.1:1/", { timeout: PATIENCE_MS });
    }
    await client.close();
    await print(languages, compiled, replica.pid ?? 0);
  } finally {
    await endProcess(replica, PATIENCE_MS);
  }
}

async function print(languages: readonly string[], compiled: ReadonlyMap<string, string>, host: number): Promise<void> {
  const report = await status();
  if (report === undefined) throw new Error("the replica does not answer");
  const runners = await childrenOf(host);
  console.log(`${platform()} ${arch()}, Node ${process.versions.node}, network-host ${report.replica.version}`);
  console.log(`| the host, ${languages.length} plugins and SQLite | ${rowOf(await look(host))} | | |`);
  for (const [index, language] of languages.entries()) {
    const digest = report.plugins[index]?.digest ?? "";
    const pid = runners.find(({ command }) => command.includes(digest))?.pid;
    const row = pid === undefined ? "no process | | " : rowOf(await look(pid));
    console.log(`| runner of ${language} | ${row} | ${compiled.get(language)} | ${await cachedSize(digest)} |`);
  }
}

function rowOf({ residentMb, ownMb, threads, descriptors }: Measured): string {
  return `${residentMb} MB, ${ownMb} MB | ${threads} | ${descriptors}`;
}

async function look(pid: number): Promise<Measured> {
  const [statusText, rollup, descriptors] = await Promise.all([
    readFile(`/proc/${pid}/status`, "utf8"),
    readFile(`/proc/${pid}/smaps_rollup`, "utf8"),
    readdir(`/proc/${pid}/fd`),
  ]);
  const kib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(rollup)?.[1] ?? 0);
  const megabytes = (kibibytes: number): number => Math.round((kibibytes * 1024) / 1e6);
  return {
    pid,
    residentMb: megabytes(kib("Rss")),
    ownMb: megabytes(kib("Private_Clean") + kib("Private_Dirty")),
    threads: Number(/^Threads:\s+(\d+)/m.exec(statusText)?.[1] ?? 0),
    descriptors: descriptors.length,
  };
}

async function childrenOf(parent: number): Promise<readonly { readonly pid: number; readonly command: string }[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const line = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
      const above = Number(line.slice(line.lastIndexOf(")") + 2).split(" ")[1]);
      const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      return above === parent ? [{ pid: Number(pid), command }] : [];
    }),
  );
  return found.flat();
}

/** Processor time of a first compilation, in seconds. */
async function compileTime(component: string): Promise<string> {
  const args = [MAIN, "compile", component, "--cache", cache];
  const [first, again] = [await processorSeconds(args), await processorSeconds(args)];
  return `${Math.max(0, first - again).toFixed(1)} s`;
}

async function processorSeconds(args: readonly string[]): Promise<number> {
  const script = 'TIMEFORMAT="%U %S"; time "$@" >/dev/null';
  const said = await run("bash", ["-c", `{ ${script}; } 2>&1`, "bash", process.execPath, ...args], {
    timeoutMs: PATIENCE_MS,
    cwd: ROOT,
  });
  const [user = 0, system = 0] = said.trim().split(" ").slice(-2).map(Number);
  return user + system;
}

async function cachedSize(digest: string): Promise<string> {
  let bytes = 0;
  for (const entry of await readdir(cache, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && path.includes(digest)) bytes += (await stat(path)).size;
  }
  return bytes < 1e6 ? `${Math.round(bytes / 1e3)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

async function status(): Promise<StatusReport | undefined> {
  const args = [MAIN, "status", "--json", "--control", control];
  const said = await run("bash", ["-c", '"$@" || true', "bash", process.execPath, ...args], {
    timeoutMs: PATIENCE_MS,
    cwd: ROOT,
  });
  const text = said.split("\n").find((line) => line.startsWith("{"));
  return text === undefined ? undefined : (JSON.parse(text) as { replicas: StatusReport[] }).replicas[0];
}

async function waitFor(condition: () => Promise<boolean>, what: string): Promise<void> {
  const startMs = performance.now();
  while (!(await condition())) {
    if (performance.now() - startMs > PATIENCE_MS) throw new Error(`it did not come true that ${what}`);
    await delay(100);
  }
}
