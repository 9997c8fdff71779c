/** Drives the real runner, in a process of its own, through a real channel. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { dirname, join } from "node:path";
import { Channel } from "../../../src/channel/channel.ts";
import { HOST_SIDE, type HostMessage, type RunnerMessage } from "../../../src/channel/messages/messages.ts";
import type { RunnerConfig } from "../../../src/contract/artifact.ts";
import type { RpcRequest } from "../../../src/contract/request.ts";
import { machineMs } from "../../../src/scheduling/machine-clock.ts";
import { runnerArguments } from "../../../src/supervisor/process/runner-flags.ts";
import { CODE_ROOT, programPath } from "../../../src/supervisor/sandbox/child-program.ts";
import { projectFile } from "../../harness/plugins.ts";

const AUDITED_RUNNER = projectFile("test/harness/audited-runner.ts");

/** Tries to start a thread, and says so. */
export const WORKER_SEEKING_RUNNER: string = projectFile("test/harness/worker-seeking-runner.ts");

const OUTCOMES: ReadonlySet<RunnerMessage["kind"]> = new Set([
  "response",
  "oversize",
  "plugin-error",
  "trap",
  "stopped",
  "levels",
]);

/** Longer than any test takes. */
const UNHURRIED_MS = 600_000;

/** When a call is due that has so long. */
export function dueIn(ms: number): number {
  return machineMs(performance.now() + ms);
}

export const ENGINES = ["jco", "linker"] as const;

export type RunnerOptions = Partial<RunnerConfig> & {
  readonly artifactDir: string;
  readonly memoryPages?: number;
  /** Runs `test/harness/audited-runner.ts`: whatever is put back is checked, and a fault ends the runner. */
  readonly audited?: boolean;
  /** Runs this program, which starts the runner itself. */
  readonly program?: string | undefined;
  /** The folder of a build, whose runner is one file; by default, the runner is that of `src/`. */
  readonly dist?: string;
  /** Flags of V8's, before the runner's own. */
  readonly v8Flags?: readonly string[];
  /** Called with each key-value operation; what it returns is the answer; `undefined`: no answer for now. */
  readonly perform?: (operation: KeyValueMessage) => HostMessage | undefined;
};

export type KeyValueMessage = Extract<RunnerMessage, { kind: "key-value" }>;

/** How a call ended, and what it said on the way. */
export interface CallEnd {
  readonly outcome: RunnerMessage;
  readonly said: readonly RunnerMessage[];
}

export class RunnerChild implements AsyncDisposable {
  readonly process: ChildProcess;
  readonly channel: Channel<RunnerMessage, HostMessage>;
  readonly socket: Socket;
  readonly received: RunnerMessage[] = [];
  readonly exited: Promise<number | null>;
  stderr = "";
  readonly #waiters = new Set<() => void>();
  readonly #perform: RunnerOptions["perform"];
  #lastCall = 0;

  constructor({
    artifactDir,
    memoryPages = 256,
    audited = false,
    program = audited ? AUDITED_RUNNER : undefined,
    dist,
    v8Flags = [],
    perform,
    ...config
  }: RunnerOptions) {
    this.#perform = perform;
    const runnerConfig: RunnerConfig = {
      artifactDir,
      engine: "auto",
      maxIdleInstances: 4,
      maxIdleBytes: 64 * 1024 * 1024,
      replyBytes: 1024 * 1024,
      logBytes: 64 * 1024,
      ...config,
    };
    const limits = { memoryBytes: memoryPages * 64 * 1024, runnerMemoryBytes: 0 };
    const engine = runnerConfig.engine === "jco" ? "jco" : "linker";
    const own = runnerArguments({ config: runnerConfig, limits, memories: 1, makesObjects: false, engine });
    const built = dist === undefined ? own : own.map((flag) => builtFlag(flag, dist));
    const flags = program === undefined ? built : built.flatMap((flag) => flagFor(program, flag));
    this.process = spawn(process.execPath, [...v8Flags, ...flags], {
      env: {},
      stdio: ["ignore", "ignore", "pipe", "pipe"],
    });
    this.exited = once(this.process, "exit").then(([code]) => {
      this.#wake();
      return code as number | null;
    });
    this.process.stderr?.on("data", (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.socket = this.process.stdio[3] as Socket;
    this.channel = new Channel(this.socket, HOST_SIDE, {
      receive: (message) => this.#receive(message),
      violated: () => this.#wake(),
      error: () => this.#wake(),
      close: () => this.#wake(),
    });
  }

  static async start(options: RunnerOptions): Promise<RunnerChild> {
    const child = new RunnerChild(options);
    await child.until((message) => message.kind === "ready");
    return child;
  }

  /** The first message that fits; throws if the runner ends before. */
  async until(fits: (message: RunnerMessage) => boolean): Promise<RunnerMessage> {
    for (;;) {
      const found = this.received.find(fits);
      if (found !== undefined) return found;
      if (this.process.exitCode !== null || this.process.signalCode !== null)
        throw new Error(`the runner ended: ${JSON.stringify(this.received)} ${this.stderr}`);
      await new Promise<void>((resolve) => this.#waiters.add(resolve));
    }
  }

  /** Starts a call without waiting for it. */
  begin(method: string, payload: Uint8Array = Buffer.alloc(0), due = dueIn(UNHURRIED_MS)): number {
    const call = ++this.#lastCall;
    const request: RpcRequest = { id: `id-${call}`, method, payload };
    this.channel.send({ kind: "request", call, due, request });
    return call;
  }

  async end(call: number): Promise<CallEnd> {
    const outcome = await this.until((message) => OUTCOMES.has(message.kind) && callOf(message) === call);
    const said = this.received.filter((message) => callOf(message) === call && !OUTCOMES.has(message.kind));
    return { outcome, said };
  }

  async call(method: string, payload?: Uint8Array): Promise<CallEnd> {
    return await this.end(this.begin(method, payload));
  }

  async probe(due = dueIn(UNHURRIED_MS)): Promise<CallEnd> {
    const call = ++this.#lastCall;
    this.channel.send({ kind: "probe", call, due });
    return await this.end(call);
  }

  /** Resolves when the runner has worked off everything that was sent before. */
  async settle(nonce: number): Promise<void> {
    this.channel.send({ kind: "ping", nonce });
    await this.until((message) => message.kind === "pong" && message.nonce === nonce);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.channel.close();
    this.process.kill("SIGKILL");
    await this.exited;
  }

  #receive(message: RunnerMessage): undefined {
    this.received.push(message);
    if (message.kind === "key-value") {
      const answer = this.#perform?.(message);
      if (answer !== undefined) this.channel.send(answer);
    }
    this.#wake();
  }

  #wake(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const wake of waiters) wake();
  }
}

function builtFlag(flag: string, dist: string): string {
  if (flag === programPath("runner/main")) return join(dist, "runner/main.js");
  return flag === `--allow-fs-read=${CODE_ROOT}` ? `--allow-fs-read=${dist}` : flag;
}

/** One of the runner's flags as it is for a program of the tests, which may read itself as well. */
function flagFor(program: string, flag: string): string[] {
  if (flag === programPath("runner/main")) return [program];
  return flag === "--permission" ? [flag, `--allow-fs-read=${dirname(program)}`] : [flag];
}

function callOf(message: RunnerMessage): number | undefined {
  return "call" in message ? message.call : undefined;
}
