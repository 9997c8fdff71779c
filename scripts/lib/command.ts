/**
 * Child processes of the scripts: every one has a time limit, and what it printed is in the error when it fails.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";

export { findOnPath, isExecutable } from "../../src/local-nats/commands.ts";

/** How to run a command. */
export interface CommandOptions {
  readonly timeoutMs: number;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** `inherit` shows the command's output; `collect` (default) keeps it for the result and for errors. */
  readonly output?: "inherit" | "collect";
  /** An exit code other than 0 is an answer, not an error. A signal or running out of time stays one. */
  readonly acceptFailure?: boolean;
  /**
   * Gives it a session of its own: where the kernel shares the processor out among sessions, it has its own part of it.
   * Ctrl-C does not reach it; its time limit does.
   */
  readonly ownSession?: boolean;
}

/** A command that failed, could not be started, or took too long. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

const OUTPUT_TAIL_CHARACTERS = 2_000;

/** Runs a command to its end. @returns what it wrote to stdout. */
export async function run(command: string, args: readonly string[], options: CommandOptions): Promise<string> {
  const collect = options.output !== "inherit";
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    detached: options.ownSession ?? false,
    stdio: collect ? ["ignore", "pipe", "pipe"] : ["ignore", "inherit", "inherit"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const line = [command, ...args].join(" ");
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill("SIGKILL");
    // A grandchild may hold the pipes open: `close` would wait for it.
    child.stdout?.destroy();
    child.stderr?.destroy();
  }, options.timeoutMs);
  child.once("error", (error) => reject(new CommandError(`${line}: ${error.message}`)));
  child.once("close", (code, signal) => {
    if (code === 0 || (code !== null && options.acceptFailure === true)) {
      resolve(stdout);
      return;
    }
    const reason = timedOut
      ? `took longer than ${options.timeoutMs} ms`
      : `ended with ${signal ?? `exit code ${code}`}`;
    const tail = (stderr.trim() || stdout.trim()).slice(-OUTPUT_TAIL_CHARACTERS);
    reject(new CommandError(`${line}: ${reason}${tail === "" ? "" : `\n${tail}`}`));
  });
  return promise.finally(() => clearTimeout(timer));
}

/** Does the command end with exit code 0? */
export async function succeeds(command: string, args: readonly string[], timeoutMs: number): Promise<boolean> {
  return run(command, args, { timeoutMs }).then(
    () => true,
    () => false,
  );
}

/** How a child process ended: its exit code, or the signal that ended it. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Settles when the process has ended and its output was read to the end. */
export async function exited(child: ChildProcess): Promise<Exit> {
  const hasEnded = child.exitCode !== null || child.signalCode !== null;
  const isRead = [child.stdout, child.stderr].every((output) => output === null || output.closed);
  if (hasEnded && isRead) return { code: child.exitCode, signal: child.signalCode };
  const { promise, resolve, reject } = Promise.withResolvers<Exit>();
  // `exit` comes as soon as the process is gone: what it said last may still be in the pipes then.
  child.once("close", (code, signal) => resolve({ code, signal }));
  child.once("error", reject);
  return promise;
}

/** Ends a child process: SIGTERM, and SIGKILL when it is still there after the grace. */
export async function endProcess(child: ChildProcess, graceMs: number): Promise<Exit> {
  const end = exited(child);
  if (child.pid === undefined) return end;
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
  return end.finally(() => clearTimeout(timer));
}
