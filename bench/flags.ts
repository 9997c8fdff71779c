/**
 * The benchmark's command line, as text. Everything here throws {@link BenchError} for what cannot be used.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { BenchError } from "./bench-error.ts";

/** How many requests a soak has unless it is told. */
export const SOAK_REQUESTS = 1_000_000;

/** @param usage is shown with an error */
export function parseFlags(args: readonly string[], usage: string) {
  try {
    return parseArgs({
      args: withDefaults(args),
      options: {
        quick: { type: "boolean" },
        guard: { type: "boolean" },
        record: { type: "boolean" },
        jobs: { type: "string" },
        contenders: { type: "string" },
        engine: { type: "string" },
        concurrency: { type: "string" },
        rates: { type: "string" },
        rounds: { type: "string" },
        "measure-ms": { type: "string" },
        store: { type: "string" },
        generator: { type: "string" },
        fairness: { type: "boolean" },
        attacks: { type: "string" },
        scaling: { type: "boolean" },
        growth: { type: "boolean" },
        curves: { type: "string" },
        soak: { type: "string" },
        swap: { type: "boolean" },
        against: { type: "string" },
        host: { type: "string" },
        publish: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    throw new BenchError(`${error instanceof Error ? error.message : String(error)}\n${usage}`, { cause: error });
  }
}

/** A number may follow `--soak`. */
function withDefaults(args: readonly string[]): string[] {
  return args.map((arg, index) =>
    arg === "--soak" && !/^\d/.test(args[index + 1] ?? "") ? `--soak=${SOAK_REQUESTS}` : arg,
  );
}

/** The parts between commas, each once. */
export function list(text: string): string[] {
  return [...new Set(text.split(",").map((part) => part.trim()))];
}

/** @returns `undefined` for no text. */
export function someOf<Name extends string>(
  flag: string,
  names: readonly Name[],
  text: string | undefined,
): readonly Name[] | undefined {
  return text === undefined ? undefined : list(text).map((name) => oneOf(flag, names, name));
}

export function oneOf<Name extends string>(flag: string, names: readonly Name[], text: string): Name {
  const found = names.find((name) => name === text);
  if (found === undefined) throw new BenchError(`${flag} "${text}": write one of ${names.join(", ")}`);
  return found;
}

export function wholeNumber(flag: string, text: string, min: number, max: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new BenchError(`${flag} "${text}": write a whole number from ${min} to ${max}`);
}
