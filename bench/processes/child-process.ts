/**
 * Child processes of the benchmark: each writes its output into a file, and none outlives the run.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { endProcess } from "../../scripts/lib/command.ts";
import { until } from "../../scripts/lib/until.ts";
import { BenchError } from "../bench-error.ts";

/** What to start. */
export interface ChildPlan {
  /** Names its output file and is in errors. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where its output goes. */
  readonly folder: string;
  /** Does it take requests? Asked until it does. */
  answers(): Promise<boolean>;
}

/** A child that takes requests. Disposing of it ends it. */
export interface RunningChild extends AsyncDisposable {
  readonly pid: number;
}

/** It bounds what hangs: a replica of thousands of plugins on a busy machine takes minutes. */
const READY_TIMEOUT_MS = 300_000;
const STOP_GRACE_MS = 20_000;
const OUTPUT_TAIL_CHARACTERS = 2_000;

/** Starts a child and waits until it takes requests. */
export async function startChild(plan: ChildPlan): Promise<RunningChild> {
  const outputPath = join(plan.folder, `${plan.name}.log`);
  const output = openSync(outputPath, "a");
  // In a process group of its own: Ctrl-C is for the benchmark, which ends its children in order.
  const child = spawn(plan.command, [...plan.args], {
    detached: true,
    stdio: ["ignore", output, output],
    env: { ...process.env, ...plan.env },
  });
  closeSync(output);
  child.on("error", () => {
    // It has no process id then, which is looked at below.
  });
  const end = async (): Promise<void> => void (await endProcess(child, STOP_GRACE_MS));
  try {
    await until(
      async () => {
        if (hasEnded(child)) throw new BenchError(`${plan.name} ended:\n${await tailOf(outputPath)}`);
        return plan.answers();
      },
      { what: `${plan.name} takes requests`, timeoutMs: READY_TIMEOUT_MS },
    );
  } catch (error) {
    if (child.pid !== undefined) await end();
    throw error instanceof BenchError
      ? error
      : new BenchError(`${plan.name} does not take requests:\n${await tailOf(outputPath)}`, { cause: error });
  }
  if (child.pid === undefined) throw new BenchError(`${plan.command} could not be started`);
  return { pid: child.pid, [Symbol.asyncDispose]: end };
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

async function tailOf(path: string): Promise<string> {
  return (await readFile(path, "utf8")).slice(-OUTPUT_TAIL_CHARACTERS).trim();
}
