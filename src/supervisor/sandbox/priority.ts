/**
 * Scheduling priorities of child processes, below the host's own. A process has a session for itself (it is started
 * `detached`): where the kernel shares the processor out among sessions, a priority within one says nothing.
 *
 * Only on Linux; elsewhere processes keep the priority that they have.
 *
 * @module
 */

import { readdirSync, writeFileSync } from "node:fs";
import { getPriority, setPriority } from "node:os";

const MAX_NICE = 19;

/** The host's own priority, which runners have as well. */
export const NORMAL_NICE = 0;

/**
 * For what has to come to an end, in a given time, though others go first: about a quarter of a processor that another
 * one wants as well. With less, on a machine that is busy for other reasons, it would never be ready in its time.
 */
export const BACKGROUND_NICE = 5;

/** What a process gets that never rests: some thirtieth of a processor that others want, too. */
export const LOW_NICE = 15;

/**
 * Sets the priority of each of the process's threads, which are there from its start on or inherit it, and of its session,
 * among others (sched(7), "The autogroup feature"). Where a right is missing, to raise one needs CAP_SYS_NICE, or the
 * process has just ended, all stays as it is.
 */
export function setNice(pid: number, nice: number): void {
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`))
      setPriority(Number(thread), Math.min(MAX_NICE, getPriority() + nice));
  } catch {
    // See above.
  }
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(nice));
  } catch {
    // See above; and not every kernel has it.
  }
}
