/**
 * One run of the compiler's process: starts it, sends it the component, collects its report. Time, output and stderr
 * are bounded. However the run ends, it leaves no process behind.
 *
 * A run without a report is the component's fault (`compile-failed`: the next run would end the same) or the machine's
 * (`resources-exhausted`): the process ran out of resources, was killed from outside, or hardly had a processor in its
 * time.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { REPORT_FD } from "../../compiler/report.ts";
import { DEFAULT_REPLICA_LIMITS, FIXED_LIMITS } from "../../contract/limits.ts";
import { HostError } from "../../errors/host-error.ts";
import { isShortage } from "../../errors/shortage.ts";
import { CODE_ROOT } from "../sandbox/child-program.ts";
import { COMPILER_MAX_DATA_BYTES, compilerArguments } from "./compile-flags.ts";
import { type Confinement, UNCONFINED } from "../sandbox/confinement.ts";
import { BACKGROUND_NICE, setNice } from "../sandbox/priority.ts";
import { ProcessorDeadline } from "../sandbox/processor-deadline.ts";
import { type ChildCommand, startChild, type StartedChild, STDERR_FD, STDIN_FD } from "../sandbox/start-child.ts";

/** How much of stderr is kept for the message. */
const STDERR_MAX_CHARACTERS = 2_000;

/** Fields after the name in parentheses: time in user mode and in kernel mode (proc(5)). */
const TICKS_AT = [11, 12] as const;
/** Linux reports times in hundredths of a second, whatever its internal tick. */
const MS_PER_TICK = 10;

/** Signals that other processes send to end one; a fault of its own raises others. */
const OUTSIDE_SIGNALS: ReadonlySet<NodeJS.Signals> = new Set(["SIGHUP", "SIGINT", "SIGKILL", "SIGQUIT", "SIGTERM"]);

/** In the stderr of a process that ended because no thread, descriptor or memory was left. */
const SHORTAGE_TEXT = /\b(?:EAGAIN|EMFILE|ENFILE|ENOMEM|Resource temporarily unavailable|Cannot allocate memory)\b/;

/** Bounds of a run; the defaults are those of a replica, and `FIXED_LIMITS`. */
export interface CompilerRunOptions {
  /** Ends the run; the promise rejects with `load-failed`. */
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
  readonly patienceMs?: number;
  readonly maxOutputBytes?: number;
  /** The walls around the process; by default only Node's. */
  readonly confinement?: Confinement;
}

/**
 * Runs the compiler and returns its report, not parsed. Throws `compile-failed`, `resources-exhausted`, or
 * `load-failed` where the process could not be started or was cancelled.
 */
export async function runCompiler(
  mode: "compile" | "inspect",
  component: Uint8Array,
  options: CompilerRunOptions = {},
): Promise<Buffer> {
  if (options.signal?.aborted === true) throw cancelled();
  using run = new CompilerRun(await start(mode, options), options);
  return await run.result(component);
}

async function start(
  mode: "compile" | "inspect",
  { confinement = UNCONFINED }: CompilerRunOptions,
): Promise<StartedChild> {
  const bounds = { maxDataBytes: COMPILER_MAX_DATA_BYTES };
  const command: ChildCommand = {
    ...confinement.command(process.execPath, compilerArguments(mode), bounds),
    cwd: CODE_ROOT,
    stdio: ["pipe", "ignore", "pipe", "pipe"],
  };
  try {
    const child = await startChild(command);
    // Requests in flight come first. The process still has one thread; later ones inherit the priority.
    setNice(child.pid, BACKGROUND_NICE);
    return child;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const code = isShortage(error) ? "resources-exhausted" : "load-failed";
    throw new HostError(code, `the compiler's process could not be started: ${why}`, { cause: error });
  }
}

class CompilerRun implements Disposable {
  readonly #child: StartedChild;
  readonly #done = Promise.withResolvers<Buffer>();
  readonly #chunks: Buffer[] = [];
  readonly #deadline: ProcessorDeadline;
  readonly #signal: AbortSignal | undefined;
  readonly #maxOutputBytes: number;
  #outputBytes = 0;
  #stderr = "";

  constructor(child: StartedChild, options: CompilerRunOptions) {
    const {
      signal,
      timeoutMs = DEFAULT_REPLICA_LIMITS.compileMs,
      maxOutputBytes = FIXED_LIMITS.artifactBytes,
    } = options;
    this.#child = child;
    this.#signal = signal;
    this.#maxOutputBytes = maxOutputBytes;
    this.#deadline = new ProcessorDeadline({
      timeoutMs,
      patienceMs: options.patienceMs,
      ranMs: () => cpuTimeOf(child.pid),
      expired: (how) =>
        how === "used"
          ? this.#fail(
              "compile-failed",
              `it took longer than ${timeoutMs} ms; link less into it, or set replica.compileMs`,
            )
          : this.#fail("resources-exhausted", "it hardly had a processor"),
    });
    signal?.addEventListener("abort", this.#abort, { once: true });
    if (signal?.aborted === true) this.#abort();
    // `close`, not `exit`: the report may still be in the pipe when the process has ended.
    child.process.on("close", (code, killedBy) => this.#closed(code, killedBy));
    (child.pipes[STDERR_FD] as Readable).setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_MAX_CHARACTERS);
    });
    (child.pipes[REPORT_FD] as Readable).on("data", (chunk: Buffer) => this.#collect(chunk));
  }

  result(component: Uint8Array): Promise<Buffer> {
    const input = this.#child.pipes[STDIN_FD] as Writable;
    // A process that ended early does not read its input. Its exit says why.
    input.on("error", () => undefined);
    input.end(component);
    return this.#done.promise;
  }

  /** Kills the process and releases everything. Idempotent. */
  [Symbol.dispose](): void {
    this.#deadline[Symbol.dispose]();
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#child.process.kill("SIGKILL");
  }

  readonly #abort = (): void => this.#done.reject(cancelled());

  #collect(chunk: Buffer): void {
    this.#outputBytes += chunk.length;
    if (this.#outputBytes <= this.#maxOutputBytes) this.#chunks.push(chunk);
    else
      this.#fail(
        "compile-failed",
        `its output is larger than ${this.#maxOutputBytes} bytes; make the plugin's interfaces smaller`,
      );
  }

  #closed(code: number | null, killedBy: NodeJS.Signals | null): void {
    if (code === 0) {
      this.#done.resolve(Buffer.concat(this.#chunks, this.#outputBytes));
      return;
    }
    const isOutside = killedBy !== null && OUTSIDE_SIGNALS.has(killedBy);
    this.#fail(
      isOutside || SHORTAGE_TEXT.test(this.#stderr) ? "resources-exhausted" : "compile-failed",
      `its process ended ${killedBy === null ? `with code ${code}` : `by ${killedBy}`}`,
    );
  }

  #fail(code: "compile-failed" | "resources-exhausted", reason: string): void {
    const cause = this.#stderr === "" ? undefined : this.#stderr;
    this.#done.reject(new HostError(code, `the component could not be compiled: ${reason}`, { cause }));
  }
}

function cancelled(): HostError {
  return new HostError("load-failed", "the component was not compiled: it was cancelled");
}

/** Milliseconds on processors, of all its threads; `undefined` where it has ended, and elsewhere than on Linux. */
function cpuTimeOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return TICKS_AT.reduce((sum, at) => sum + Number(fields[at]), 0) * MS_PER_TICK;
  } catch {
    return undefined;
  }
}
