/**
 * Runs a language's own tools: in a process group of their own, which ends as a whole, with their output kept in bounds
 * and their last line at hand for who watches.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { withoutHostSecrets } from "../contract/host-secrets.ts";
import { HostError } from "../errors/host-error.ts";

/** One run of a tool. */
export interface ToolRun {
  /** A name on `PATH`, or a path. */
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Variables besides this process's own, of which the host's secrets are kept from it. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** How to install it, for the error where it is missing. */
  readonly install: string;
}

/** How a tool ended: `stopped` by who watches it. */
export type ToolEnd = "done" | "failed" | "stopped";

/** Who watches a tool, and may end it. */
export interface ToolWatch {
  /** A tool begins: what it does, in a few words, and its command line. */
  readonly begun: (title: string, commandLine: string) => void;
  /** It has written a line. */
  readonly line: (text: string) => void;
  readonly ended: (outcome: ToolEnd) => void;
  readonly signal: AbortSignal;
}

/** What a tool wrote, and how it ended. */
export interface ToolResult {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** A first build compiles a standard library on a slow machine. */
const TIMEOUT_MS = 30 * 60_000;
/** More output than this is not kept: its beginning goes. */
const MAX_OUTPUT_CHARACTERS = 4 * 1024 * 1024;
const KILL_GRACE_MS = 3_000;
/** What an ended tool wrote is read by then. Something else may hold its output open for ever: a server that it has started. */
const OUTPUT_GRACE_MS = 2_000;

/**
 * Runs a tool to its end.
 *
 * @throws HostError `tool-missing` where it is not installed, `build-failed` where it was ended or takes too long
 */
export async function runTool(title: string, run: ToolRun, watch: ToolWatch): Promise<ToolResult> {
  const commandLine = [run.command, ...run.args].join(" ");
  watch.signal.throwIfAborted();
  watch.begun(title, commandLine);
  const child = spawn(run.command, run.args, {
    cwd: run.cwd,
    // It runs what packages and projects bring.
    env: { ...withoutHostSecrets(process.env), ...run.env },
    // Ctrl-C is for this program, which ends the group.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = [collect(child.stdout, watch), collect(child.stderr, watch)];
  let outcome: ToolEnd = "failed";
  try {
    const { code, reason } = await whenEnded(child, run, watch.signal);
    if (reason !== undefined) throw new HostError("build-failed", `${commandLine}: ${reason}`);
    outcome = code === 0 ? "done" : "failed";
    return { ok: code === 0, stdout: stdout(), stderr: stderr() };
  } finally {
    watch.ended(watch.signal.aborted ? "stopped" : outcome);
  }
}

function collect(stream: NodeJS.ReadableStream, { line }: ToolWatch): () => string {
  let text = "";
  let last = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => {
    text = (text + chunk).slice(-MAX_OUTPUT_CHARACTERS);
    const lines = (last + chunk).split(/[\r\n]+/);
    last = (lines.pop() ?? "").slice(-MAX_OUTPUT_CHARACTERS);
    const whole = lines.findLast((candidate) => candidate.trim() !== "");
    if (whole !== undefined) line(whole);
  });
  return () => text;
}

interface Ended {
  readonly code: number | null;
  /** Why it did not end by itself. */
  readonly reason: string | undefined;
}

async function whenEnded(child: ChildProcess, run: ToolRun, signal: AbortSignal): Promise<Ended> {
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  let reason: string | undefined;
  let killing: NodeJS.Timeout | undefined;
  let leaving: NodeJS.Timeout | undefined;
  const leaveOutput = (): void => {
    // When this thread was busy for so long, what waits is read first.
    leaving ??= setTimeout(() => setImmediate(() => resolve(child.exitCode)), OUTPUT_GRACE_MS);
  };
  const end = (why: string): void => {
    reason ??= why;
    endGroup(child, "SIGTERM");
    killing ??= setTimeout(() => {
      endGroup(child, "SIGKILL");
      leaveOutput();
    }, KILL_GRACE_MS);
  };
  const stop = (): void => end("it was ended");
  const timer = setTimeout(() => end(`it took longer than ${TIMEOUT_MS / 60_000} minutes`), TIMEOUT_MS);
  signal.addEventListener("abort", stop, { once: true });
  child.once("error", (error: NodeJS.ErrnoException) => reject(startError(error, run)));
  child.once("exit", leaveOutput);
  child.once("close", resolve);
  try {
    const code = await promise;
    return {
      code,
      reason: reason ?? (code === null ? `it was ended by ${child.signalCode ?? "a signal"}` : undefined),
    };
  } finally {
    clearTimeout(timer);
    clearTimeout(killing);
    clearTimeout(leaving);
    signal.removeEventListener("abort", stop);
    // What it has started and left behind. What is in a session of its own is not reached, and not listened to.
    endGroup(child, "SIGKILL");
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
}

function endGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended.
  }
}

function startError(error: NodeJS.ErrnoException, { command, install }: ToolRun): HostError {
  if (error.code === "ENOENT") return new HostError("tool-missing", `${command} was not found: ${install}`);
  return new HostError("tool-missing", `${command} cannot be started: ${error.message}`, { cause: error });
}
