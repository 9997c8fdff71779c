/**
 * A server as a child process of the test run, with the faults that a process can have.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { obtainServer, type ServerName } from "../../scripts/servers/binaries.ts";
import { endProcess, exited, run } from "../../scripts/lib/command.ts";
import { freePort } from "../../src/local-nats/free-port.ts";
import type { Launched } from "./readiness.ts";
import { until } from "../../scripts/lib/until.ts";

const STOP_GRACE_MS = 10_000;
const OUTPUT_TAIL_CHARACTERS = 4_000;

/** Where a server listens, and its data folder. */
export interface ServerPlace {
  readonly port: number;
  readonly folder: string;
}

/** How to launch a server's binary. */
export interface ProcessPlan {
  readonly binary: ServerName;
  args(place: ServerPlace): readonly string[];
  /** Variables besides those of the test run. */
  environment?(place: ServerPlace): Readonly<Record<string, string>>;
  /** Files of its folder, by name, there before it starts. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Starts the binary on a free port of loopback, with a data folder of its own. */
export async function launchProcess(plan: ProcessPlan): Promise<Launched> {
  const path = await obtainServer(plan.binary);
  const folder = await mkdtemp(join(tmpdir(), `${plan.binary}-`));
  const write = (name: string, text: string) => writeFile(join(folder, name), text);
  for (const [name, text] of Object.entries(plan.files ?? {})) await write(name, text);
  const port = await freePort();
  const place = { port, folder };
  const start = () => spawnServer(path, plan.args(place), folder, plan.environment?.(place));
  let server = start();
  return {
    host: "127.0.0.1",
    port,
    async pause() {
      server.child.kill("SIGSTOP");
      await until(() => isStopped(server.child), { what: "the server is stopped" });
    },
    async resume() {
      server.child.kill("SIGCONT");
    },
    async kill() {
      server.child.kill("SIGKILL");
      await exited(server.child);
    },
    async start() {
      server = start();
    },
    async reload(name, text) {
      await write(name, text);
      server.child.kill("SIGHUP");
    },
    failure: () => server.failure(),
    async remove() {
      server.child.kill("SIGCONT");
      await endProcess(server.child, STOP_GRACE_MS);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A signal is delivered after `kill` has returned: only the process's state tells that it is stopped. */
async function isStopped(child: ChildProcess): Promise<boolean> {
  const state = await run("ps", ["-o", "state=", "-p", String(child.pid)], { timeoutMs: STOP_GRACE_MS });
  return state.trim().startsWith("T");
}

interface RunningServer {
  readonly child: ChildProcess;
  /** What it said last when it has ended; undefined while it runs. */
  failure(): string | undefined;
}

/** Files in its configuration are named as they are in its folder. */
function spawnServer(
  path: string,
  args: readonly string[],
  folder: string,
  environment: Readonly<Record<string, string>> = {},
): RunningServer {
  const env = { ...process.env, ...environment };
  const child = spawn(path, args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  let tail = "";
  const keep = (chunk: Buffer): void => {
    tail = (tail + chunk.toString()).slice(-OUTPUT_TAIL_CHARACTERS);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  child.on("error", (error) => (tail += error.message));
  return {
    child,
    failure: () => (child.exitCode === null && child.signalCode === null ? undefined : `the server ended:\n${tail}`),
  };
}
