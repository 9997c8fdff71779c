/**
 * Replicas for tests: the real command line, run from the sources as a process of its own.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { inject } from "vitest";
import { endProcess, type Exit, exited } from "../../scripts/lib/command.ts";
import { type LogRecord, ReplicaLog } from "./replica-log.ts";
import { freePort } from "../../src/local-nats/free-port.ts";
import { until } from "../../scripts/lib/until.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const READY_TIMEOUT_MS = 150_000;
const HEALTH_TIMEOUT_MS = 30_000;
const STOP_GRACE_MS = 60_000;

/** What a replica is started with. Everything it writes is in a folder of its own, except the artifact cache. */
export interface ReplicaOptions {
  /** Text of the file of the consumer group to serve. Absent where `args` name plugins: then no file or folder is named. */
  readonly consumer?: string;
  /** Texts of policy files, by file name. */
  readonly policies: Readonly<Record<string, string>>;
  /** Further files of its folder: name → the file to copy. */
  readonly files?: Readonly<Record<string, string>>;
  /** The shared NATS server unless named. */
  readonly natsUrl?: string;
  /** URL of a MongoDB; without one, values are in an SQLite file of the replica's own. */
  readonly mongodbUrl?: string;
  readonly replicaId?: string;
  /** Further flags of `serve`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where it writes its log instead of where the test reads it; then no record is seen. */
  readonly stdout?: number;
  /** `process` when the test is about a replica that does not become ready. */
  readonly waitFor?: "ready" | "process";
}

/** A replica that runs. Dispose of it with `await using`. */
export interface Replica extends AsyncDisposable {
  readonly pid: number;
  /** Holds `consumer.yaml` and `policy/`; writing there is how a test changes them. */
  readonly folder: string;
  readonly healthUrl: string;
  /** What it has logged so far. */
  readonly records: readonly LogRecord[];
  /** What it wrote to standard error so far. */
  readonly errorOutput: string;
  /** The first record, past or to come, that matches. Rejects when the replica ends without one. */
  logged(matches: (record: LogRecord) => boolean): Promise<LogRecord>;
  writeConsumer(text: string): Promise<void>;
  writePolicy(name: string, text: string): Promise<void>;
  isReady(): Promise<boolean>;
  signal(signal: NodeJS.Signals): void;
  /** SIGTERM; settles with how it ended. */
  stop(): Promise<Exit>;
  /** SIGKILL; settles when it is gone. */
  kill(): Promise<Exit>;
  /** Settles when it has ended, for whatever reason. */
  readonly ended: Promise<Exit>;
}

/** Starts a replica and, unless told otherwise, waits until it is ready. */
export async function startReplica(options: ReplicaOptions): Promise<Replica> {
  const folder = await mkdtemp(join(tmpdir(), "replica-"));
  await writeConfiguration(folder, options);
  const healthPort = await freePort();
  const child = spawn(process.execPath, [MAIN, "serve", ...flagsOf(options, folder, healthPort)], {
    cwd: folder,
    // `ENGINE=linker npm test` runs every suite on that engine.
    env: { PATH: process.env["PATH"], ENGINE: process.env["ENGINE"], HOME: folder, ...options.env },
    stdio: ["ignore", options.stdout ?? "pipe", "pipe"],
  });
  const replica = replicaOf(child, folder, `http://127.0.0.1:${healthPort}`);
  if (options.waitFor === "process") return replica;
  try {
    await becameReady(replica);
    // All that it said on its way there has been read then: it writes many records at a time.
    if (options.stdout === undefined) await replica.logged(({ msg }) => msg === "ready");
    return replica;
  } catch (error) {
    await replica[Symbol.asyncDispose]();
    throw error;
  }
}

async function writeConfiguration(folder: string, { consumer, policies, files = {} }: ReplicaOptions): Promise<void> {
  for (const [name, source] of Object.entries(files)) await copyFile(source, join(folder, name));
  if (consumer !== undefined) await writeFile(join(folder, "consumer.yaml"), consumer);
  if (consumer !== undefined || Object.keys(policies).length > 0) await mkdir(join(folder, "policy"));
  for (const [name, text] of Object.entries(policies)) await writeFile(join(folder, "policy", name), text);
}

function flagsOf(options: ReplicaOptions, folder: string, healthPort: number): readonly string[] {
  const flags = {
    nats: options.natsUrl ?? inject("natsUrl"),
    ...(options.consumer !== undefined && { consumer: "consumer.yaml", policy: "policy" }),
    cache: inject("artifactCache"),
    "health-port": String(healthPort),
    control: "control",
    "log-format": "json",
    "log-level": "debug",
    ...(options.mongodbUrl === undefined ? { sqlite: "store.sqlite" } : { store: options.mongodbUrl }),
    ...(options.replicaId !== undefined && { "replica-id": options.replicaId }),
  };
  return [...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]), ...(options.args ?? [])];
}

function replicaOf(child: ChildProcess, folder: string, healthUrl: string): Replica {
  const log = new ReplicaLog(child);
  const ended = exited(child);
  const { pid } = child;
  if (pid === undefined) throw new Error("the replica's process could not be started");
  return {
    pid,
    folder,
    healthUrl,
    records: log.records,
    get errorOutput() {
      return log.errorOutput;
    },
    logged: (matches) => log.first(matches),
    writeConsumer: (text) => writeFile(join(folder, "consumer.yaml"), text),
    async writePolicy(name, text) {
      const path = join(folder, "policy", name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    },
    isReady: () => isReady(healthUrl),
    signal: (signal) => void child.kill(signal),
    stop: () => endProcess(child, STOP_GRACE_MS),
    async kill() {
      child.kill("SIGKILL");
      return ended;
    },
    ended,
    async [Symbol.asyncDispose]() {
      // A replica that a test has frozen could not end.
      child.kill("SIGCONT");
      await endProcess(child, STOP_GRACE_MS);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function becameReady(replica: Replica): Promise<void> {
  const end = replica.ended.then(({ code, signal }) => {
    const log = replica.records.map((record) => JSON.stringify(record)).join("\n");
    throw new Error(`the replica ended (${signal ?? code}) before it was ready\n${replica.errorOutput}${log}`);
  });
  const readiness = new AbortController();
  try {
    await Promise.race([
      until(() => replica.isReady(), {
        what: "the replica is ready",
        timeoutMs: READY_TIMEOUT_MS,
        signal: readiness.signal,
      }),
      end,
    ]);
  } catch (error) {
    readiness.abort();
    throw new Error(
      `${String(error)}\n${replica.records
        .slice(-20)
        .map((record) => JSON.stringify(record))
        .join("\n")}`,
      {
        cause: error,
      },
    );
  } finally {
    // It ends some day, after the race: that is not an error then.
    end.catch(() => {});
  }
}

async function isReady(healthUrl: string): Promise<boolean> {
  return fetch(`${healthUrl}/readyz`, { signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS) }).then(
    async (response) => {
      await response.arrayBuffer();
      return response.ok;
    },
    () => false,
  );
}
