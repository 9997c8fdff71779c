/**
 * Times of what an author waits for: elapsed, and of the processor.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { run } from "../lib/command.ts";

/** How long something took. On a machine that others use, the processor time is the part that it is itself to blame for. */
export interface Times {
  readonly wallS: number;
  readonly processorS: number;
}

/** From an empty folder to the first reply, and from a save to the changed reply. */
export interface AuthorsTimes {
  readonly first: Times;
  readonly change: Times;
}

/** A bound on each step, so that a tool that hangs ends the measurement. */
export const STEP_TIMEOUT_MS = 20 * 60_000;

/** A folder, and the environment of what runs in it. */
export interface Workplace {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Runs commands one after another in a shell, which counts the processor time of all of them. */
export async function timeCommands(
  commands: readonly string[],
  { cwd, env }: Workplace,
): Promise<Times & { said: string }> {
  const script = `exec 2>&1\nTIMEFORMAT=$'\\n%R %U %S'\ntime { ${commands.join(" && ")}; }`;
  const printed = await run("bash", ["-c", script], { timeoutMs: STEP_TIMEOUT_MS, cwd, env });
  const lines = printed.trimEnd().split("\n");
  const [wallS = 0, userS = 0, systemS = 0] = (lines.pop() ?? "").split(" ").map(Number);
  return { wallS, processorS: userS + systemS, said: lines.join("\n") };
}

/** Of a process and of all its children that have ended. */
export async function processorSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const TICKS_PER_S = 100;
  return [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at] ?? 0), 0) / TICKS_PER_S;
}

/** The middle one of an odd number of values. */
export function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Makes the greeting of the project's source another one. */
export function changedSource(source: string, change: number): string {
  const text = source.replace(/Hello\d*,/, `Hello${change},`);
  if (text === source) throw new Error(`the source has no greeting:\n${source}`);
  return text;
}
