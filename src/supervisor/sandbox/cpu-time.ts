/**
 * The time that a process has had on processors, all of its threads together. On Linux only.
 *
 * @module
 */

import { readFileSync } from "node:fs";

/** Places behind the name in parentheses: of the program, and in the kernel for it (proc(5)). */
const TICKS_AT = [11, 12] as const;
/** Linux tells it in hundredths of a second, whatever its own clock. */
const MS_PER_TICK = 10;

/** In milliseconds; `undefined` where this machine does not tell, or the process is gone. */
export function cpuTimeOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return TICKS_AT.reduce((sum, at) => sum + Number(fields[at]), 0) * MS_PER_TICK;
  } catch {
    return undefined;
  }
}
