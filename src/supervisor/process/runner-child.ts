/**
 * The operating system's side of a runner: its process within its walls, its stderr, its use of memory and the
 * processor, and its end. Knows nothing of requests.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
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

export interface RunnerOptions extends RunnerFlagOptions {
  /** The walls around it; by default only Node's. */
  readonly confinement?: Confinement;
  /** It replaces a process that keeps failing, or was a hog: it begins with a low priority. */
  readonly isSuspect?: boolean;
  /** Its plugin's share of the host's thread; by default all of it. */
  readonly share?: ThreadShare;
}

/** What the process does, and what the host must know to watch it. */
export interface RunnerChildEvents {
  /** Is it busy? Only then are its memory and its use of the processor watched. */
  isBusy(): boolean;
  /** Has it never been ready? */
  isStarting(): boolean;
  /** Is the answer to a ping overdue because it had no processor? */
  isOverdue(): boolean;
  /** It cannot or must not go on: {@link RunnerChild.kill} follows. */
  failed(reason: string): void;
  /** It took more memory than it may: {@link RunnerChild.kill} follows. */
  memoryExceeded(reason: string): void;
  /** It has ended. */
  exited(reason: string): void;
}

/** How much of its stderr is kept; a healthy runner writes nothing there. */
const KEPT_STDERR_CHARACTERS = 8 * 1024;
const MAX_STDERR_CHARACTERS = 1024 * 1024;

/** V8's words before it aborts a process whose heap is full. */
const OUT_OF_MEMORY = /heap out of memory|process out of memory/;

/** The kernel's highest: when memory runs out, it kills this process first. */
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
  /** Are both watches awake? Each falls asleep by itself. */
  #isWatched = false;
  #stderr = "";
  #stderrCharacters = 0;

  /** Takes over a process that was just started. Kills it and throws where it cannot be watched. */
  constructor(child: StartedChild, { limits, isSuspect = false }: RunnerOptions, events: RunnerChildEvents) {
    this.#child = child;
    this.#events = events;
    using unwatched = new DisposableStack();
    unwatched.defer(() => abandon(child));
    preferToHost(child.pid);
    this.#memory = unwatched.adopt(this.#watchMemory(limits.runnerMemoryBytes), (memory) => memory.close());
    this.#cpu = this.#watchCpu(isSuspect);
    unwatched.move();
    child.process.on("exit", (code, signal) => void this.#report(code, signal));
    this.#errorOutput.setEncoding("utf8").on("data", (text: string) => this.#keepStderr(text));
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

  /** The times of its main thread up to now, where this machine reports them. */
  cpuSample(): CpuSample | undefined {
    return this.#cpu.sample();
  }

  /** Does it compute almost without pausing? */
  get isHog(): boolean {
    return this.#cpu.isHog;
  }

  /** It is busy from now on: wakes the watches. */
  noteWork(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    this.#memory.wake();
    this.#cpu.wake();
  }

  /** This much of its time on a processor went into making instances. */
  noteMaking(ms: number): void {
    this.#cpu.noteMaking(ms);
  }

  /** Kills it at once. Idempotent. */
  kill(): void {
    this.#memory.close();
    this.#cpu.close();
    this.#child.process.kill("SIGKILL");
  }

  /** Reports its end. V8 aborts a process whose heap is full: whether that was so, only its last words say. */
  async #report(code: number | null, signal: NodeJS.Signals | null): Promise<void> {
    if (signal === "SIGABRT") {
      await finished(this.#errorOutput).catch(() => undefined);
      if (OUT_OF_MEMORY.test(this.#stderr)) this.#events.memoryExceeded("the heap of its objects is full");
    }
    this.#events.exited(signal === null ? `it exited with code ${code}` : `it was ended by ${signal}`);
  }

  get #errorOutput(): Readable {
    return this.#child.pipes[STDERR_FD] as Readable;
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

/** Kills a process that will have no `RunnerChild`. */
function abandon({ process: child, pipes }: StartedChild): void {
  child.kill("SIGKILL");
  for (const pipe of pipes) pipe?.destroy();
}

/**
 * On Linux, makes the kernel kill it before the host when memory runs out. Done at once, in microseconds, so that it
 * holds before the process executes any guest code.
 */
function preferToHost(pid: number): void {
  if (process.platform !== "linux") return;
  try {
    // Raising the score needs no privilege.
    writeFileSync(`/proc/${pid}/oom_score_adj`, OOM_SCORE_ADJUSTMENT);
  } catch (error) {
    // A process that has ended needs no score; its exit is reported.
    if (isShortage(error)) throw error;
  }
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 1024 / 1024);
}
