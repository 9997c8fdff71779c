/**
 * The replica of `npm start`: the built host as a child process.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { endProcess, type Exit, exited } from "../lib/command.ts";
import { freePort } from "../../src/local-nats/free-port.ts";
import { ROOT } from "../lib/project.ts";

/** A replica that is ready. */
export interface Host {
  readonly healthUrl: string;
  /** Lets its log through, which is held back until then. */
  showLog(): void;
  /** Settles when it has ended, for whatever reason. */
  readonly ended: Promise<Exit>;
  /** Drains it. A second call ends it at once. */
  stop(): Promise<Exit>;
}

/** The replica ended or did not become ready. */
export class HostStartError extends Error {
  override readonly name = "HostStartError";
}

/** Loading the examples for the first time compiles them. */
const READY_TIMEOUT_MS = 120_000;
const PROBE_TIMEOUT_MS = 2_000;
/** Longer than the consumer file's drain time. */
const DRAIN_GRACE_MS = 30_000;

/**
 * Starts a replica of `consumers/default.yaml` and waits until it is ready.
 *
 * @param interrupted settles when the user does not want it any more
 */
export async function startHost(natsUrl: string, interrupted: Promise<void>): Promise<Host> {
  const healthUrl = `http://127.0.0.1:${await freePort()}`;
  const format = process.stdout.isTTY ? "pretty" : "json";
  const flags = ["--consumer", "consumers/default.yaml", "--policy", "policy", "--log-format", format];
  // A process group of its own: Ctrl-C on the terminal is for this program, which then drains the replica.
  const command = ["--disable-sigusr1", "dist/main.js", "serve", ...flags, "--health-port", new URL(healthUrl).host];
  const child = spawn(process.execPath, command, {
    cwd: ROOT,
    env: { ...process.env, NATS_URL: natsUrl },
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  const held: Buffer[] = [];
  const hold = (chunk: Buffer): void => void held.push(chunk);
  child.stdout.on("data", hold);
  const showLog = (): void => {
    child.stdout.off("data", hold);
    for (const chunk of held.splice(0)) process.stdout.write(chunk);
    child.stdout.pipe(process.stdout, { end: false });
  };
  const ended = exited(child);
  const stop = (): Promise<Exit> => endProcess(child, DRAIN_GRACE_MS);
  const outcome = await Promise.race([
    becomesReady(healthUrl, ended),
    interrupted.then(() => "was interrupted before it was ready"),
  ]);
  if (outcome !== "ready") {
    await stop();
    showLog();
    throw new HostStartError(`The replica ${outcome}; its log is above.`);
  }
  return { healthUrl, showLog, ended, stop };
}

/** @returns `ready`, or what it did instead */
async function becomesReady(healthUrl: string, ended: Promise<Exit>): Promise<string> {
  const start = performance.now();
  while (performance.now() - start < READY_TIMEOUT_MS) {
    if (await answersOk(new URL("/readyz", healthUrl))) return "ready";
    const end = await Promise.race([ended, delay(50)]);
    if (end !== undefined) return `ended (${end.signal ?? `exit code ${end.code}`}) before it was ready`;
  }
  return `was not ready after ${READY_TIMEOUT_MS} ms`;
}

async function answersOk(url: URL): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) }).then(
    async (response) => {
      await response.arrayBuffer();
      return response.ok;
    },
    () => false,
  );
}

/** Where the command line is after a build. */
export const COMMAND_LINE: string = join(ROOT, "dist/main.js");
