/**
 * Starts a child process. Where the machine has no descriptor, process or memory left, `spawn` fails in several ways:
 * it throws, or it emits an error later, from a child with or without its pipes. Here all of them reject one promise,
 * and none can end the host.
 *
 * Where descriptors run out halfway, Node leaks the pipes that it has already opened. So `spawn` is not called where
 * too few are left.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";
import type { Readable, Writable } from "node:stream";
import { childDescriptors, type Stdio } from "./inherited-descriptors.ts";

/** Two for each pipe, two by which `spawn` learns that the program started, and some for the host's other threads. */
const NEEDED_DESCRIPTORS = 12;

/** Descriptors of a child that have names. */
export const STDIN_FD = 0;
export const STDERR_FD = 2;

/** What to start. */
export interface ChildCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Its descriptors by number; nothing else of the host's is open in it. */
  readonly stdio: Stdio;
}

/** A process that has started, with a pipe or socket for each `pipe` of its descriptors. */
export interface StartedChild {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly pipes: readonly (Readable | Writable | null | undefined)[];
}

/**
 * Starts a process with an empty environment and in a session of its own: where the kernel divides the processor among
 * sessions, a child that computes without pausing must not use up the share of the host and of other children. Rejects
 * with the system's error where the process cannot be started, and leaves nothing behind.
 */
export async function startChild({ file, args, cwd, stdio }: ChildCommand): Promise<StartedChild> {
  expectDescriptors();
  const child = spawn(file, args, { cwd, env: {}, detached: true, stdio: childDescriptors(stdio) });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    // This listener stays: a signal to a process that has just ended may fail, and its exit is reported anyway.
    child.on("error", reject);
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("the process has no number");
  return { process: child, pid, pipes: child.stdio };
}

/** Throws the system's error where the descriptors cannot be opened now. Takes some ten microseconds. */
function expectDescriptors(): void {
  const opened: number[] = [];
  try {
    while (opened.length < NEEDED_DESCRIPTORS) opened.push(openSync(devNull, "r"));
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}
