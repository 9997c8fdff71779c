/**
 * Scheduling priorities of child processes, below the host's own. Each child has a session of its own (it is started
 * `detached`). Where the kernel divides the processor among sessions, only the session's priority counts against other
 * processes, so both are set.
 *
 * Only on Linux; elsewhere processes keep their priority.
 *
 * @module
 */

import { readdirSync, writeFileSync } from "node:fs";
import { getPriority, setPriority } from "node:os";

const MAX_NICE = 19;

/** The host's own priority, with which runners start. */
export const NORMAL_NICE = 0;

/**
 * For work that has a deadline but lets others go first: about a quarter of a processor that another process wants as
 * well. With less, it would miss its deadline on a machine that is busy for other reasons.
 */
export const BACKGROUND_NICE = 5;

/** For a process that computes without pausing: about a thirtieth of a processor that others want as well. */
export const LOW_NICE = 15;

/**
 * Sets the priority of each of the process's threads (later threads inherit it) and of its session (sched(7), "The
 * autogroup feature"). Changes nothing where a right is missing (raising a priority needs CAP_SYS_NICE) or the process
 * has just ended.
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
    // See above; besides, not every kernel has autogroups.
  }
}
