/**
 * A runner executes one plugin's artifact and reaches nothing but its channel, the socket that the host opened for it. It
 * ends when the channel closes.
 *
 * Exit codes: 0 the host closed the channel; 1 the artifact could not be loaded; 2 the host or the runner itself broke the
 * protocol, or there was an unexpected error. With 1 and 2, a line on stderr says why.
 *
 * @module
 */

import { Socket } from "node:net";
import process from "node:process";
import { Channel } from "../channel/channel.ts";
import { SENTENCE_CHARACTERS } from "../contract/text-bounds.ts";
import { type HostMessage, RUNNER_SIDE, type RunnerMessage } from "../channel/messages/messages.ts";
import { Violation } from "../channel/violation.ts";
import { ENGINE_CHOICES, RUNNER_CHANNEL_FD, type RunnerArgument } from "../contract/artifact.ts";
import { HostError, toHostError } from "../errors/host-error.ts";
import { isShortage } from "../errors/shortage.ts";
import { Calls } from "./calls.ts";
import { InstancePool } from "./instance-pool.ts";
import type { InstanceAudit } from "./linker/instance-audit.ts";
import { loadEngine } from "./load-engine.ts";
import { type CollectGarbage, MemoryReclaimer } from "./memory-reclaimer.ts";

const EXIT_LOAD_FAILED = 1;
const EXIT_BROKEN = 2;

function parseConfig(text: string | undefined): RunnerArgument {
  const config = JSON.parse(text ?? "null") as Partial<RunnerArgument> | null;
  const counts = [
    config?.maxIdleInstances,
    config?.maxIdleBytes,
    config?.replyBytes,
    config?.logBytes,
    config?.memoryPages,
  ];
  const isKnownEngine = ENGINE_CHOICES.some((choice) => choice === config?.engine);
  if (
    typeof config?.artifactDir !== "string" ||
    !isKnownEngine ||
    !counts.every((count) => Number.isSafeInteger(count))
  )
    throw new HostError("internal", "a runner is started by the host with its configuration as its one argument");
  return config as RunnerArgument;
}

/** Call it before the realm is sealed, which removes `gc`. */
function exposedCollector(): CollectGarbage {
  const { gc } = globalThis as { gc?: CollectGarbage };
  if (gc === undefined) throw new HostError("internal", "a runner is started with --expose-gc");
  return gc;
}

/** Is the component at fault? Not where a file could not be read now, or memory could not be allocated. */
function isLasting(error: unknown): boolean {
  return !isShortage(error) && !(error instanceof RangeError);
}

/** Has the host closed the channel while messages to it were in flight? */
function isGone(error: Error): boolean {
  return "code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE");
}

function fail(error: unknown): never {
  console.error(`runner: ${toHostError(error).message}`);
  process.exit(EXIT_BROKEN);
}

/**
 * Runs the runner in this process, which it ends with one of the exit codes above.
 *
 * @param argument the process's one argument: a {@link RunnerArgument}
 * @param audit see {@link InstanceAudit}
 */
export function startRunner(argument: string | undefined, audit?: InstanceAudit): void {
  process.on("uncaughtException", fail);
  // A terminal or a service manager signals the whole process group. The host drains first, then closes the channel.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);
  run(parseConfig(argument), audit).catch(fail);
}

async function run(config: RunnerArgument, audit: InstanceAudit | undefined): Promise<void> {
  let receive = (_message: HostMessage): Violation | undefined => new Violation("the host sent a message before ready");
  const channel: Channel<HostMessage, RunnerMessage> = new Channel(new Socket({ fd: RUNNER_CHANNEL_FD }), RUNNER_SIDE, {
    receive: (message) => receive(message),
    violated: ({ reason }) => fail(new HostError("internal", `the host broke the protocol: ${reason}`)),
    error: (error) => (isGone(error) ? process.exit(0) : fail(error)),
    close: () => process.exit(0),
  });
  try {
    const reclaimer = new MemoryReclaimer(exposedCollector());
    const engine = await loadEngine(config.artifactDir, config.engine, { audit, memoryPages: config.memoryPages });
    const { maxIdleInstances: maxIdle, maxIdleBytes, logBytes } = config;
    const made = (micros: number): void => channel.send({ kind: "instance-made", micros });
    const pool = new InstancePool({ engine, maxIdle, maxIdleBytes, logBytes, reclaimer, made });
    await pool.open();
    const calls = new Calls({ channel, pool, replyBytes: config.replyBytes });
    receive = (message) => calls.receive(message);
  } catch (error) {
    const { message } = toHostError(error);
    console.error(`runner: ${message}`);
    channel.send({ kind: "failed", message: message.slice(0, SENTENCE_CHARACTERS), isLasting: isLasting(error) });
    // After that nothing keeps the process alive, and it ends once the message has left.
    channel.close();
    process.exitCode = EXIT_LOAD_FAILED;
    return;
  }
  channel.send({ kind: "ready" });
}
