/**
 * Servers that an author starts in terminals of their own, by the commands of a page: a replica, a NATS server, Python's HTTP
 * server.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { endProcess } from "../../scripts/lib/command.ts";
import { until } from "../../scripts/lib/until.ts";
import { natsListens } from "../../scripts/servers/nats-probe.ts";
import { natsAnswers } from "../../src/local-nats/nats-probe.ts";
import { ReplicaLog } from "../harness/replica-log.ts";

const STOP_GRACE_MS = 60_000;

/** Where and with what a command runs. */
export interface Terminal {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Does the command run until it is ended? */
export function isServer(command: string): boolean {
  return /^(npx )?network-host serve\b|^(\S*\/)?nats-server\b|^python3 -m http\.server\b/.test(command);
}

/** Runs `network-host serve`, as the author writes it, and waits until the replica is ready. */
export async function serveFolder(command: string, { cwd, env }: Terminal): Promise<AsyncDisposable> {
  // npx starts a shell that starts the command: a signal would have to find its way through both.
  const direct = command.replace(/^npx network-host\b/, "node_modules/.bin/network-host");
  const child = spawn("bash", ["-c", `exec ${direct}`], {
    cwd,
    env: { ...process.env, ...env, LOG_FORMAT: "json" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log = new ReplicaLog(child);
  try {
    await log.first(({ msg }) => msg === "ready");
  } catch (error) {
    await endProcess(child, STOP_GRACE_MS);
    const said = log.records.map((record) => JSON.stringify(record)).join("\n");
    throw new Error(`${command} ended before it was ready\n${log.errorOutput}${said}`, { cause: error });
  }
  return { [Symbol.asyncDispose]: async () => void (await endProcess(child, STOP_GRACE_MS)) };
}

/** Runs `nats-server`, on this port in place of the usual one, and waits until it answers. */
export async function serveNats(command: string, port: number, terminal: Terminal): Promise<AsyncDisposable> {
  return serveUntil(`${command} --port ${port}`, terminal, () => natsAnswers({ host: "127.0.0.1", port }));
}

/** Runs a server of HTTP, whose port the command names, and waits until it listens. */
export async function serveHttp(command: string, terminal: Terminal): Promise<AsyncDisposable> {
  const port = Number(/\b\d{4,5}\b/.exec(command)?.[0]);
  return serveUntil(command, terminal, () => natsListens({ host: "127.0.0.1", port }));
}

async function serveUntil(
  command: string,
  { cwd, env }: Terminal,
  answers: () => Promise<boolean>,
): Promise<AsyncDisposable> {
  const child = spawn("bash", ["-c", `exec ${command}`], { cwd, env: { ...process.env, ...env }, stdio: "ignore" });
  const server = { [Symbol.asyncDispose]: async () => void (await endProcess(child, STOP_GRACE_MS)) };
  try {
    await until(answers, { what: `${command} answers` });
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}
