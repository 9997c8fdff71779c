/**
 * CPU time and memory of processes, from Linux's /proc (proc(5)). Elsewhere there are no figures.
 *
 * @module
 */

import { readdir, readFile, writeFile } from "node:fs/promises";

/** A process to watch, and what it is in the report. */
export interface WatchedProcess {
  readonly role: string;
  readonly pid: number;
}

/** What a process has used up to now. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  /** The most that it was, since {@link forgetPeak} or since the process began. */
  readonly peakBytes: number;
}

/** The kernel shows times in this unit, whatever its own clock: `getconf CLK_TCK` on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
/** What makes the kernel count the peak anew when it is written to `clear_refs` (proc(5)). */
const FORGET_PEAK = "5";
const KIB = 1024;

/** @returns `undefined` where there is no /proc or no such process. */
export async function usageOf(pid: number): Promise<Usage | undefined> {
  try {
    const [stat, status] = await Promise.all([
      readFile(`/proc/${pid}/stat`, "utf8"),
      readFile(`/proc/${pid}/status`, "utf8"),
    ]);
    return {
      cpuSeconds: parseStat(stat).cpuSeconds,
      rssBytes: parseMemory("VmRSS", status),
      peakBytes: parseMemory("VmHWM", status),
    };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** From now on a process's peak is counted anew. @returns whether the system permits it. */
export async function forgetPeak(pid: number): Promise<boolean> {
  try {
    await writeFile(`/proc/${pid}/clear_refs`, FORGET_PEAK);
    return true;
  } catch {
    // No such process, no right to it, or no such file: the peak is the one since the process began.
    return false;
  }
}

/** @returns the process ids of a process's children; none where there is no /proc. */
export async function childrenOf(parent: number): Promise<readonly number[]> {
  const names = await readdir("/proc").catch(() => []);
  const parents = await Promise.all(
    names
      .filter((name) => /^\d+$/.test(name))
      .map(async (name) => {
        // It may have ended since it was listed.
        const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => undefined);
        return { pid: Number(name), parent: stat === undefined ? undefined : parseStat(stat).parent };
      }),
  );
  return parents.filter((process) => process.parent === parent).map(({ pid }) => pid);
}

/** Reads `/proc/<pid>/stat`. */
export function parseStat(text: string): { readonly parent: number; readonly cpuSeconds: number } {
  // The second field is the program's name in parentheses and may itself hold spaces and parentheses.
  const fields = text
    .slice(text.lastIndexOf(")") + 1)
    .trim()
    .split(" ");
  // State is the third field of the file and the first one here.
  const [parent, userTicks, systemTicks] = [fields[1], fields[11], fields[12]].map(Number);
  if (parent === undefined || userTicks === undefined || systemTicks === undefined) {
    throw new RangeError("a line of /proc/<pid>/stat has more fields");
  }
  return { parent, cpuSeconds: (userTicks + systemTicks) / TICKS_PER_SECOND };
}

/** Reads the resident memory or its peak from `/proc/<pid>/status`. 0 for a process that has ended. */
export function parseMemory(field: "VmRSS" | "VmHWM", text: string): number {
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(text)?.[1];
  return Number(kibibytes ?? 0) * KIB;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ESRCH");
}
