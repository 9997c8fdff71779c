/**
 * The NATS server of `npm start`: the one that is named, the one that runs here already, or one that is started.
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { endProcess, run, succeeds } from "../lib/command.ts";
import { freePort } from "../../src/local-nats/free-port.ts";
import { findServer, obtainServer } from "../servers/binaries.ts";
import { NATS_IMAGE } from "../../src/local-nats/server-source.ts";
import { natsAnswers } from "../../src/local-nats/nats-probe.ts";
import { startServer as startProcess } from "../../src/local-nats/server-process.ts";

/** A NATS server to use; disposing of it ends it if it was started here. */
export interface NatsToUse extends AsyncDisposable {
  readonly url: string;
  /** How it came to be, for people. */
  readonly origin: string;
}

/** What will be used. */
export interface NatsPlan {
  start(): Promise<NatsToUse>;
}

/** No NATS server can be used; the message says why and what to do. */
export class NatsMissingError extends Error {
  override readonly name = "NatsMissingError";
}

const HOST = "127.0.0.1";
const DEFAULT_PORT = 4222;
const IMAGE = process.env["NATS_IMAGE"] ?? NATS_IMAGE;
const READY_TIMEOUT_MS = 20_000;
const DOCKER_TIMEOUT_MS = 10_000;
const PULL_TIMEOUT_MS = 120_000;
const STOP_GRACE_MS = 10_000;

/**
 * Finds what NATS server to use and obtains one if there is none; starts nothing.
 *
 * @param report is told what is being done when it takes long
 */
export async function planNats(report: (line: string) => void): Promise<NatsPlan> {
  const named = process.env["NATS_URL"];
  if (named !== undefined && named !== "") return useAsIs(named, "NATS_URL");
  if (await natsAnswers({ host: HOST, port: DEFAULT_PORT }))
    return useAsIs(urlOf(DEFAULT_PORT), "already running here");
  const port = await portToUse();
  const found = await findServer("nats-server");
  if (found !== undefined) return binaryPlan(found, port);
  if (await imageIsThere(report)) return containerPlan(port);
  return binaryPlan(await obtainServer("nats-server", report), port);
}

function useAsIs(url: string, origin: string): NatsPlan {
  return { start: async () => ({ url, origin, [Symbol.asyncDispose]: async () => {} }) };
}

function binaryPlan(path: string, port: number): NatsPlan {
  return { start: () => startServer(path, ["--addr", HOST, "--port", String(port)], port, `started ${path}`) };
}

/** In the foreground and with --rm: ending the client ends and removes the container. */
function containerPlan(port: number): NatsPlan {
  const args = ["run", "--rm", "--init", "--publish", `${HOST}:${port}:4222`, IMAGE];
  return { start: () => startServer("docker", args, port, `started a container of ${IMAGE}`) };
}

async function startServer(command: string, args: readonly string[], port: number, origin: string): Promise<NatsToUse> {
  const child = startProcess(command, args, process.env);
  const start = performance.now();
  while (!(await natsAnswers({ host: HOST, port }))) {
    const hasEnded = child.exitCode !== null || child.signalCode !== null;
    if (hasEnded || performance.now() - start > READY_TIMEOUT_MS) {
      await endProcess(child, STOP_GRACE_MS);
      const what = hasEnded ? "ended at once" : "did not answer";
      throw new NatsMissingError(`The NATS server (${origin}) ${what}; is port ${port} free?`);
    }
    await delay(50);
  }
  return { url: urlOf(port), origin, [Symbol.asyncDispose]: async () => void (await endProcess(child, STOP_GRACE_MS)) };
}

function urlOf(port: number): string {
  return `nats://${HOST}:${port}`;
}

async function imageIsThere(report: (line: string) => void): Promise<boolean> {
  if (!(await succeeds("docker", ["version"], DOCKER_TIMEOUT_MS))) return false;
  if (await succeeds("docker", ["image", "inspect", IMAGE], DOCKER_TIMEOUT_MS)) return true;
  report(`pulling the image ${IMAGE} …`);
  return run("docker", ["pull", "--quiet", IMAGE], { timeoutMs: PULL_TIMEOUT_MS }).then(
    () => true,
    () => false,
  );
}

/** The default port, or any free one when something else listens there. */
async function portToUse(): Promise<number> {
  return freePort(DEFAULT_PORT).catch(() => freePort());
}
