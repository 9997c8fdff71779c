/**
 * Runs a whole `.wast` script and tells what of it does not hold.
 *
 * @module
 */

import { Machine } from "./machine.ts";
import { readScript } from "./script.ts";

export interface ScriptOutcome {
  /** Lines whose command does not hold, with what it came to. */
  readonly wrong: readonly string[];
  /** Lines that make components without a plan, and why there is none. Calls of these are left out. */
  readonly unplanned: readonly (readonly [line: number, reason: string])[];
}

/** `without`: lines of commands to leave out. */
export async function runScript(text: string, without: readonly number[] = []): Promise<ScriptOutcome> {
  const machine = new Machine();
  const wrong: string[] = [];
  const unplanned: [number, string][] = [];
  for (const command of readScript(text)) {
    if (without.includes(command.line)) continue;
    try {
      const verdict = await machine.execute(command);
      const makes = command.kind === "component" || command.kind === "instance";
      if (verdict.kind === "unplanned" && makes) unplanned.push([command.line, verdict.reason]);
    } catch (error) {
      wrong.push(`line ${command.line}, ${command.kind}: ${describeError(error)}`);
    }
  }
  return { wrong, unplanned };
}

/** jco's tools throw errors with what they say in `payload`. */
function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "payload" in error ? String(error.payload) : error.message;
}
