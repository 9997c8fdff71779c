/**
 * On what the figures were made: they mean nothing without it.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, release, totalmem, type } from "node:os";
import { join } from "node:path";
import { run } from "../../scripts/lib/command.ts";
import { ROOT } from "../../scripts/lib/project.ts";
import { findServer } from "../../scripts/servers/binaries.ts";

/** The machine and the versions of what ran on it. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  /** Of the last minute before the run: what else the machine did. */
  readonly loadAverage: number;
  readonly versions: Readonly<Record<string, string>>;
}

const COMMAND_TIMEOUT_MS = 20_000;
const GIB = 2 ** 30;

export async function describeMachine(): Promise<Machine> {
  const [nats, mongod, mongodb, jco, commit] = await Promise.all([
    serverVersion("nats-server"),
    serverVersion("mongod"),
    packageVersion("mongodb"),
    packageVersion("@bytecodealliance/jco"),
    firstLine("git", ["-C", ROOT, "describe", "--always", "--dirty"]),
  ]);
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / GIB),
    system: `${type()} ${release()}`,
    loadAverage: loadavg()[0] ?? 0,
    versions: { node: process.versions.node, "nats-server": nats, mongod, "mongodb driver": mongodb, jco, commit },
  };
}

async function serverVersion(name: "nats-server" | "mongod"): Promise<string> {
  const path = await findServer(name);
  const line = path === undefined ? "" : await firstLine(path, ["--version"]);
  return /\d+\.\d+\.\d+/.exec(line)?.[0] ?? "unknown";
}

async function packageVersion(name: string): Promise<string> {
  const text = await readFile(join(ROOT, "node_modules", name, "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

async function firstLine(command: string, args: readonly string[]): Promise<string> {
  const output = await run(command, args, { timeoutMs: COMMAND_TIMEOUT_MS }).catch(() => "unknown");
  return output.split("\n")[0] ?? "unknown";
}

/** One line on the machine, with what else it did before the run. */
export function machineLine({ cpu, cores, memoryGiB, system, loadAverage, versions }: Machine): string {
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `${cores} × ${cpu}, ${memoryGiB} GiB, ${system}; ${programs.join(", ")}; load average before ${loadAverage.toFixed(1)}`;
}
