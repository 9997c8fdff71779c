/**
 * The load generator, a process of its own for each measurement: the one in Go, built once and kept in the project's
 * cache, or the one in Node where there is no Go.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { CommandError, run } from "../../scripts/lib/command.ts";
import { BenchError, RefusedError } from "../bench-error.ts";
import { buildGoProgram } from "../processes/built-program.ts";
import type { LoadFigures, LoadSpec } from "../jobs/load-spec.ts";

/** Which load generator sends the requests; `auto` takes the one in Go where there is a Go toolchain. */
export const GENERATOR_CHOICES = ["auto", "go", "node"] as const;

export type GeneratorChoice = (typeof GENERATOR_CHOICES)[number];

/** A generator that can be run. */
export interface Generator {
  readonly kind: "go" | "node";
  /**
   * Sends one run's requests to their end. Throws {@link BenchError} for wrong or missing replies, and
   * {@link RefusedError} where they are errors.
   */
  run(spec: LoadSpec): Promise<LoadFigures>;
  /** The same, but wrong replies are counted. Missing ones throw. */
  count(spec: LoadSpec): Promise<LoadFigures>;
}

/** How both generators tell of a reply that is an error. */
const REFUSAL = "the reply is the error ";

/** Is what was wrong with a reply that it was an error? */
export function isRefusal(problem: string): boolean {
  return problem.startsWith(REFUSAL);
}

const GO_FOLDER = fileURLToPath(new URL("../load/", import.meta.url));
const NODE_PROGRAM = fileURLToPath(new URL("../load-node/main.ts", import.meta.url));
const RUN_TIMEOUT_MS = 180_000;

/** @param report is told what takes long, and why the generator in Go is not used if it is not */
export async function openGenerator(choice: GeneratorChoice, report: (line: string) => void): Promise<Generator> {
  if (choice !== "node") {
    const built = await buildGoProgram("bench-load", GO_FOLDER, report);
    if (built.kind === "built") return generator("go", built.path, []);
    if (choice === "go") throw new BenchError(`The load generator in Go cannot be built: ${built.reason}`);
    report(`The load generator runs in Node, whose CPU time may bound the figures: ${built.reason}`);
  }
  return generator("node", process.execPath, [NODE_PROGRAM]);
}

function generator(kind: Generator["kind"], command: string, args: readonly string[]): Generator {
  const count = async (spec: LoadSpec): Promise<LoadFigures> => {
    // What it measures must not be its own wait behind the attackers, who are in the benchmark's session.
    const options = { timeoutMs: RUN_TIMEOUT_MS, ownSession: true };
    const output = await run(command, [...args, JSON.stringify(spec)], options).catch((error: unknown) => {
      throw error instanceof CommandError ? new BenchError(error.message, { cause: error }) : error;
    });
    return JSON.parse(output) as LoadFigures;
  };
  return {
    kind,
    count,
    async run(spec) {
      const figures = await count(spec);
      if (figures.errors > 0) {
        const { errors, totalRequests, firstError = "" } = figures;
        const message = `${errors} of ${totalRequests} replies from ${spec.loop.subject} are wrong; the first one: ${firstError}`;
        throw isRefusal(firstError) ? new RefusedError(message) : new BenchError(message);
      }
      return figures;
    },
  };
}
