/**
 * What the kernel tells of a replica's processes (Linux).
 *
 * @module
 */

import { readdir, readFile } from "node:fs/promises";
import type { Replica } from "./replica.ts";

/** Direct children of a process. */
export async function childrenOf(pid: number): Promise<readonly number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, "utf8").catch(() => ""));
  return (await Promise.all(lists)).flatMap((list) => list.split(" ").filter(Boolean).map(Number));
}

/** The runner of a plugin that is loaded; throws where there is none. No other plugin may be of the same component. */
export async function runnerOf({ pid, records }: Replica, plugin: string): Promise<number> {
  const loaded = records.findLast((record) => record["plugin"] === plugin && record["msg"] === "plugin loaded");
  if (loaded === undefined) throw new Error(`${plugin} was not loaded`);
  for (const child of await childrenOf(pid)) {
    const commandLine = await readFile(`/proc/${child}/cmdline`, "utf8").catch(() => "");
    if (commandLine.includes(String(loaded["digest"]))) return child;
  }
  throw new Error(`${plugin} has no runner`);
}

/**
 * The compilers, or the runners, that a replica runs. One that is only just being made is not among them: the
 * replica itself would stall with it.
 */
export async function programsOf({ pid }: Replica, program: "compiler" | "runner"): Promise<readonly number[]> {
  const found: number[] = [];
  // A wall may stand between the two as a process of its own.
  for (const descendants = [...(await childrenOf(pid))]; ;) {
    const child = descendants.pop();
    if (child === undefined) return found;
    const commandLine = await readFile(`/proc/${child}/cmdline`, "utf8").catch(() => "");
    if (commandLine.includes(`/${program}/main.`)) found.push(child);
    descendants.push(...(await childrenOf(child)));
  }
}

/**
 * Has a process stall until it gets SIGCONT. The signal is delivered after `kill` has returned: settles when the
 * process does stall.
 *
 * @returns whether there was such a process still
 */
export async function freeze(pid: number): Promise<boolean> {
  // 0 would be all processes of this group, the test's own among them.
  if (pid <= 0) throw new Error(`${pid} is not a process`);
  try {
    process.kill(pid, "SIGSTOP");
  } catch {
    return false;
  }
  for (;;) {
    const state = await stateOf(pid);
    if (state === "T") return true;
    if (state === undefined || state === "Z") return false;
  }
}

/** The kernel's letter for it; undefined where there is no such process. */
async function stateOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  return stat?.charAt(stat.lastIndexOf(")") + 2);
}

/** Places in a process's `stat` behind the name in parentheses: time on a processor, of the program and in the kernel. */
const STAT_TICKS = [11, 12] as const;
const MS_PER_TICK = 10;

/** Milliseconds that a process was on a processor so far. */
export async function cpuMsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return STAT_TICKS.reduce((sum, at) => sum + Number(fields[at]), 0) * MS_PER_TICK;
}
