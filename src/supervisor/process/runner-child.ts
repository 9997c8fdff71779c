/**
 * The operating system's side of a runner: its process within its walls, what it writes to stderr, the memory
 * and the processor that it takes, and its end. Knows nothing of requests.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import process from "node:process";
import { type Confinement, UNCONFINED } from "../sandbox/confinement.ts";
import type { CpuSample } from "./runner.ts";
import { CpuWatch } from "./cpu-watch.ts";
import { childDescriptors } from "../sandbox/inherited-descriptors.ts";
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

const CHANNEL_FD = 3;

export class RunnerChild {
  readonly #child: ChildProcess;
  readonly #events: RunnerChildEvents;
  readonly #memory: MemoryWatch | undefined;
  readonly #cpu: CpuWatch | undefined;
  #stderr = "";
  #stderrCharacters = 0;

  /** Starts the process. That it could not be started is a failure like any other, later. */
  constructor(options: RunnerOptions, events: RunnerChildEvents) {
    const { confinement = UNCONFINED, config, limits } = options;
    this.#events = events;
    const bounds = { maxDataBytes: maxDataBytes(limits) };
    const { file, args } = confinement.command(process.execPath, runnerArguments(options), bounds);
    this.#child = spawn(file, args, {
      cwd: config.artifactDir,
      env: {},
      // A session of its own: where the kernel shares the processor out among sessions, one that computes without
      // end must not use up what is the host's and the other runners'.
      detached: true,
      stdio: childDescriptors(["ignore", "ignore", "pipe", "pipe"]),
    });
    this.#child.on("error", (error) => events.failed(`it could not be started: ${error.message}`));
    this.#child.on("exit", (code, signal) =>
      events.exited(signal === null ? `it exited with code ${code}` : `it was ended by ${signal}`),
    );
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => this.#keepStderr(text));
    this.#memory = this.#watchMemory(limits.runnerMemoryBytes);
    this.#cpu = this.#watchCpu(options.isSuspect ?? false);
  }

  /** `undefined` where it could not be started; no exit follows then. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The channel's socket. */
  get socket(): Socket {
    return this.#child.stdio[CHANNEL_FD] as Socket;
  }

  /** The last lines it wrote to stderr, bounded. */
  get stderr(): string {
    return this.#stderr;
  }

  /** What its main thread did up to now, where this machine tells. */
  cpuSample(): CpuSample | undefined {
    return this.#cpu?.sample();
  }

  /** Does it hardly rest? */
  get isHog(): boolean {
    return this.#cpu?.isHog ?? false;
  }

  /** It has something to do from now on. */
  noteWork(): void {
    this.#memory?.wake();
    this.#cpu?.wake();
  }

  /** Ends it at once. Idempotent. */
  kill(): void {
    this.#memory?.close();
    this.#cpu?.close();
    this.#child.kill("SIGKILL");
  }

  #keepStderr(text: string): void {
    this.#stderr = (this.#stderr + text).slice(-KEPT_STDERR_CHARACTERS);
    this.#stderrCharacters += text.length;
    if (this.#stderrCharacters > MAX_STDERR_CHARACTERS) this.#events.failed("it floods its standard error");
  }

  #watchCpu(isSuspect: boolean): CpuWatch | undefined {
    const { pid } = this.#child;
    if (pid === undefined) return undefined;
    const watch = new CpuWatch({
      pid,
      isSuspect,
      isBusy: () => this.#events.isBusy(),
      isStarting: () => this.#events.isStarting(),
    });
    watch.wake();
    return watch;
  }

  /** Prefers this process to the host when memory runs out, and watches what it takes. */
  #watchMemory(maxBytes: number): MemoryWatch | undefined {
    const { pid } = this.#child;
    if (pid === undefined || process.platform !== "linux") return undefined;
    preferToHost(pid);
    const watch = new MemoryWatch({
      pid,
      maxBytes,
      isBusy: () => this.#events.isBusy(),
      exceeded: (usedBytes) =>
        this.#events.memoryExceeded(
          `it holds ${mebibytes(usedBytes)} MiB of memory, at most ${mebibytes(maxBytes)} are allowed`,
        ),
    });
    watch.wake();
    return watch;
  }
}

/** It has this before it executes anything of a plugin's: at once, which takes microseconds. */
function preferToHost(pid: number): void {
  try {
    // Raising it needs no right.
    writeFileSync(`/proc/${pid}/oom_score_adj`, OOM_SCORE_ADJUSTMENT);
  } catch {
    // A process that has ended by then needs none either: its exit is reported.
  }
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 1024 / 1024);
}
