/**
 * Starts a child process. Where the machine has no descriptor, process or memory left for one, `spawn` fails in four
 * ways: it throws, or it tells of it later; the child that it returns then has its pipes or has not. Here that is one
 * way, and none of them can end the host.
 *
 * Where the lack is one of descriptors, Node gives pipes that it has opened to nobody, and never closes them. So it is
 * not asked where there are too few of them.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";
import type { Readable, Writable } from "node:stream";
import { childDescriptors, type Stdio } from "./inherited-descriptors.ts";

/** Two for each pipe and two for word of the program's start; and some for what the other threads of the host open. */
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

/** A process that is there, with a pipe or socket for each `pipe` of its descriptors. */
export interface StartedChild {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly pipes: readonly (Readable | Writable | null | undefined)[];
}

/**
 * Starts it with an empty environment and in a session of its own: where the kernel shares the processor out among
 * sessions, one that computes without end must not use up what is the host's and the other children's. Rejects with
 * the system's error where it cannot be started; nothing is left of it then.
 */
export async function startChild({ file, args, cwd, stdio }: ChildCommand): Promise<StartedChild> {
  expectDescriptors();
  const child = spawn(file, args, { cwd, env: {}, detached: true, stdio: childDescriptors(stdio) });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    // It stays: what is sent to a process that has just ended may fail, which its exit tells of.
    child.on("error", reject);
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("the process has no number");
  return { process: child, pid, pipes: child.stdio };
}

/** Throws the system's error where so many cannot be opened now. Takes some ten microseconds. */
function expectDescriptors(): void {
  const opened: number[] = [];
  try {
    while (opened.length < NEEDED_DESCRIPTORS) opened.push(openSync(devNull, "r"));
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}
