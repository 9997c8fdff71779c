/**
 * The operating system's side of a runner: its process within its walls, what it writes to stderr, the memory
 * and the processor that it takes, and its end. Knows nothing of requests.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import process from "node:process";
import { RUNNER_CHANNEL_FD } from "../../contract/artifact.ts";
import { type Confinement, UNCONFINED } from "../sandbox/confinement.ts";
import { type ChildCommand, type StartedChild, STDERR_FD } from "../sandbox/start-child.ts";
import { isShortage } from "../../errors/shortage.ts";
import type { CpuSample } from "./runner.ts";
import { CpuWatch } from "./cpu-watch.ts";
import { MemoryWatch } from "./memory-watch.ts";
import { maxDataBytes, type RunnerFlagOptions, runnerArguments } from "./runner-flags.ts";
import type { ThreadShare } from "../../fairness/thread-shares.ts";

/** What a runner is started with. */
export interface RunnerOptions extends RunnerFlagOptions {
  /** The walls around it; none but Node's unless given. */
  readonly confinement?: Confinement;
  /** It takes the place of one that keeps failing, or that hardly rested: it begins with a low priority. */
  readonly isSuspect?: boolean;
  /** What its plugin has of the host's thread; all of it unless given. */
  readonly share?: ThreadShare;
}

/** Told of what the process does. */
export interface RunnerChildEvents {
  /** Its memory and its use of the processor are looked at only then. */
  isBusy(): boolean;
  /** It has never been ready. */
  isStarting(): boolean;
  /** A sign of life is overdue that it had no processor to give. */
  isOverdue(): boolean;
  /** It cannot go on, or must not: {@link RunnerChild.kill} follows. */
  failed(reason: string): void;
  /** It took more memory than it may: {@link RunnerChild.kill} follows. */
  memoryExceeded(reason: string): void;
  /** It is gone. */
  exited(reason: string): void;
}

/** What is kept of its stderr; a runner in order writes nothing there. */
const KEPT_STDERR_CHARACTERS = 8 * 1024;
const MAX_STDERR_CHARACTERS = 1024 * 1024;

/** The kernel's highest: this process goes first when memory runs out. */
const OOM_SCORE_ADJUSTMENT = "1000";

/** How a runner's process is started. */
export function runnerCommand(options: RunnerOptions): ChildCommand {
  const { confinement = UNCONFINED, config, limits } = options;
  const bounds = { maxDataBytes: maxDataBytes(limits) };
  return {
    ...confinement.command(process.execPath, runnerArguments(options), bounds),
    cwd: config.artifactDir,
    stdio: ["ignore", "ignore", "pipe", "pipe"],
  };
}

export class RunnerChild {
  readonly #child: StartedChild;
  readonly #events: RunnerChildEvents;
  readonly #memory: MemoryWatch;
  readonly #cpu: CpuWatch;
  /** Are both watches awake? Each goes to sleep by itself. */
  #isWatched = false;
  #stderr = "";
  #stderrCharacters = 0;

  /** Takes charge of a process that was just started. Throws where it cannot be watched; it is ended then. */
  constructor(child: StartedChild, { limits, isSuspect = false }: RunnerOptions, events: RunnerChildEvents) {
    this.#child = child;
    this.#events = events;
    using unwatched = new DisposableStack();
    unwatched.defer(() => abandon(child));
    preferToHost(child.pid);
    this.#memory = unwatched.adopt(this.#watchMemory(limits.runnerMemoryBytes), (memory) => memory.close());
    this.#cpu = this.#watchCpu(isSuspect);
    unwatched.move();
    child.process.on("exit", (code, signal) =>
      events.exited(signal === null ? `it exited with code ${code}` : `it was ended by ${signal}`),
    );
    (child.pipes[STDERR_FD] as Readable).setEncoding("utf8").on("data", (text: string) => this.#keepStderr(text));
    this.noteWork();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** The channel's socket. */
  get socket(): Socket {
    return this.#child.pipes[RUNNER_CHANNEL_FD] as Socket;
  }

  /** The last lines it wrote to stderr, bounded. */
  get stderr(): string {
    return this.#stderr;
  }

  /** What its main thread did up to now, where this machine tells. */
  cpuSample(): CpuSample | undefined {
    return this.#cpu.sample();
  }

  /** Does it hardly rest? */
  get isHog(): boolean {
    return this.#cpu.isHog;
  }

  /** It has something to do from now on. */
  noteWork(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    this.#memory.wake();
    this.#cpu.wake();
  }

  /** So much of its time on a processor was for the making of instances. */
  noteMaking(ms: number): void {
    this.#cpu.noteMaking(ms);
  }

  /** Ends it at once. Idempotent. */
  kill(): void {
    this.#memory.close();
    this.#cpu.close();
    this.#child.process.kill("SIGKILL");
  }

  #noteSleep(): void {
    this.#isWatched = false;
  }

  #keepStderr(text: string): void {
    this.#stderr = (this.#stderr + text).slice(-KEPT_STDERR_CHARACTERS);
    this.#stderrCharacters += text.length;
    if (this.#stderrCharacters > MAX_STDERR_CHARACTERS) this.#events.failed("it floods its standard error");
  }

  #watchCpu(isSuspect: boolean): CpuWatch {
    return new CpuWatch({
      pid: this.pid,
      isSuspect,
      isBusy: () => this.#events.isBusy(),
      isStarting: () => this.#events.isStarting(),
      isOverdue: () => this.#events.isOverdue(),
      slept: () => this.#noteSleep(),
    });
  }

  #watchMemory(maxBytes: number): MemoryWatch {
    return new MemoryWatch({
      pid: this.pid,
      maxBytes,
      isBusy: () => this.#events.isBusy(),
      slept: () => this.#noteSleep(),
      exceeded: (usedBytes) =>
        this.#events.memoryExceeded(
          `it holds ${mebibytes(usedBytes)} MiB of memory, at most ${mebibytes(maxBytes)} are allowed`,
        ),
    });
  }
}

/** Ends a process that nobody will hear of any more. */
function abandon({ process: child, pipes }: StartedChild): void {
  child.kill("SIGKILL");
  for (const pipe of pipes) pipe?.destroy();
}

/**
 * Lets it go first when memory runs out, on Linux. It has this before it executes anything of a plugin's: at once, which
 * takes microseconds.
 */
function preferToHost(pid: number): void {
  if (process.platform !== "linux") return;
  try {
    // Raising it needs no right.
    writeFileSync(`/proc/${pid}/oom_score_adj`, OOM_SCORE_ADJUSTMENT);
  } catch (error) {
    // A process that has ended by then needs none either: its exit is reported.
    if (isShortage(error)) throw error;
  }
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 1024 / 1024);
}
