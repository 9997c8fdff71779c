/**
 * One run of the compiler's process: starts it, hands it the component, collects its report. Time, output and
 * stderr are bounded; however the run ends, the process is gone when it has.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { REPORT_FD } from "../../compiler/report.ts";
import { DEFAULT_REPLICA_LIMITS, FIXED_LIMITS } from "../../contract/limits.ts";
import { HostError } from "../../errors/host-error.ts";
import { CODE_ROOT } from "../sandbox/child-program.ts";
import { COMPILER_MAX_DATA_BYTES, compilerArguments } from "./compile-flags.ts";
import { type Confinement, UNCONFINED } from "../sandbox/confinement.ts";
import { childDescriptors } from "../sandbox/inherited-descriptors.ts";
import { BACKGROUND_NICE, setNice } from "../sandbox/priority.ts";

/** How much of stderr is kept for the message. */
const STDERR_MAX_CHARACTERS = 2_000;

const CANCELLED = "it was cancelled";

/** Bounds of a run; the defaults are those of a replica, and `FIXED_LIMITS`. */
export interface CompilerRunOptions {
  /** Ends the run; the promise rejects with `compile-failed`. */
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
  readonly maxOutputBytes?: number;
  /** The walls around the process; none but Node's unless given. */
  readonly confinement?: Confinement;
}

/** Runs the compiler; the result is its report as it was written. Throws `compile-failed` where there is none. */
export async function runCompiler(
  mode: "compile" | "inspect",
  component: Uint8Array,
  options: CompilerRunOptions = {},
): Promise<Buffer> {
  if (options.signal?.aborted === true) throw failure(CANCELLED);
  const run = new CompilerRun(mode, options);
  try {
    return await run.result(component);
  } finally {
    run.destroy();
  }
}

class CompilerRun {
  readonly #child: ChildProcess;
  readonly #done = Promise.withResolvers<Buffer>();
  readonly #chunks: Buffer[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #signal: AbortSignal | undefined;
  readonly #maxOutputBytes: number;
  #outputBytes = 0;
  #stderr = "";

  constructor(mode: "compile" | "inspect", options: CompilerRunOptions) {
    const {
      signal,
      timeoutMs = DEFAULT_REPLICA_LIMITS.compileMs,
      maxOutputBytes = FIXED_LIMITS.artifactBytes,
    } = options;
    this.#signal = signal;
    this.#maxOutputBytes = maxOutputBytes;
    const { confinement = UNCONFINED } = options;
    const { file, args } = confinement.command(process.execPath, compilerArguments(mode), {
      maxDataBytes: COMPILER_MAX_DATA_BYTES,
    });
    this.#child = spawn(file, args, {
      cwd: CODE_ROOT,
      env: {},
      detached: true,
      stdio: childDescriptors(["pipe", "ignore", "pipe", "pipe"]),
    });
    // Requests that are being served come first. It has one thread as yet, and those to come inherit this.
    if (this.#child.pid !== undefined) setNice(this.#child.pid, BACKGROUND_NICE);
    this.#timer = setTimeout(
      () => this.#fail(`it took longer than ${timeoutMs} ms; link less into it, or set replica.compileMs`),
      timeoutMs,
    );
    signal?.addEventListener("abort", this.#abort, { once: true });
    this.#child.on("error", (error) => this.#fail(`its process could not be started: ${error.message}`));
    // `close`, not `exit`: the report may still be in the pipe when the process has ended.
    this.#child.on("close", (code, killedBy) => this.#closed(code, killedBy));
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_MAX_CHARACTERS);
    });
    (this.#child.stdio[REPORT_FD] as Readable).on("data", (chunk: Buffer) => this.#collect(chunk));
  }

  result(component: Uint8Array): Promise<Buffer> {
    // A process that ended early does not read its input; how it ended says why.
    this.#child.stdin?.on("error", () => undefined);
    this.#child.stdin?.end(component);
    return this.#done.promise;
  }

  /** Ends the process and lets go of everything. Idempotent. */
  destroy(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#child.kill("SIGKILL");
  }

  readonly #abort = (): void => this.#fail(CANCELLED);

  #collect(chunk: Buffer): void {
    this.#outputBytes += chunk.length;
    if (this.#outputBytes <= this.#maxOutputBytes) this.#chunks.push(chunk);
    else this.#fail(`its output is larger than ${this.#maxOutputBytes} bytes; make the plugin's interfaces smaller`);
  }

  #closed(code: number | null, killedBy: NodeJS.Signals | null): void {
    if (code === 0) {
      this.#done.resolve(Buffer.concat(this.#chunks, this.#outputBytes));
      return;
    }
    this.#fail(`its process ended ${killedBy === null ? `with code ${code}` : `by ${killedBy}`}`);
  }

  #fail(reason: string): void {
    this.#done.reject(failure(reason, this.#stderr === "" ? undefined : this.#stderr));
  }
}

function failure(reason: string, cause?: string): HostError {
  return new HostError("compile-failed", `the component could not be compiled: ${reason}`, { cause });
}
