/**
 * The load generator, a process of its own for each measurement: the one in Go, built once and kept in the project's
 * cache, or the one in Node where there is no Go.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { glob, mkdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CommandError, findOnPath, isExecutable, run } from "../scripts/lib/command.ts";
import { cacheFolder } from "../scripts/servers/binaries.ts";
import { BenchError } from "./bench-error.ts";
import type { LoadFigures, LoadSpec } from "./load-spec.ts";
import type { GeneratorChoice } from "./plan.ts";

/** A generator that can be run. */
export interface Generator {
  readonly kind: "go" | "node";
  /** Sends one run's requests to their end. Throws {@link BenchError} for wrong or missing replies. */
  run(spec: LoadSpec): Promise<LoadFigures>;
  /** The same, but wrong replies are counted. Missing ones throw. */
  count(spec: LoadSpec): Promise<LoadFigures>;
}

const GO_FOLDER = fileURLToPath(new URL("load/", import.meta.url));
const NODE_PROGRAM = fileURLToPath(new URL("load-node/main.ts", import.meta.url));
const BUILD_TIMEOUT_MS = 300_000;
const RUN_TIMEOUT_MS = 180_000;

/** @param report is told what takes long, and why the generator in Go is not used if it is not */
export async function openGenerator(choice: GeneratorChoice, report: (line: string) => void): Promise<Generator> {
  if (choice !== "node") {
    const built = await buildGo(report);
    if (built.kind === "built") return generator("go", built.path, []);
    if (choice === "go") throw new BenchError(`The load generator in Go cannot be built: ${built.reason}`);
    report(`The load generator runs in Node, whose CPU time may bound the figures: ${built.reason}`);
  }
  return generator("node", process.execPath, [NODE_PROGRAM]);
}

function generator(kind: Generator["kind"], command: string, args: readonly string[]): Generator {
  const count = async (spec: LoadSpec): Promise<LoadFigures> => {
    const output = await run(command, [...args, JSON.stringify(spec)], { timeoutMs: RUN_TIMEOUT_MS }).catch(
      (error: unknown) => {
        throw error instanceof CommandError ? new BenchError(error.message, { cause: error }) : error;
      },
    );
    return JSON.parse(output) as LoadFigures;
  };
  return {
    kind,
    count,
    async run(spec) {
      const figures = await count(spec);
      if (figures.errors > 0) {
        throw new BenchError(
          `${figures.errors} of ${figures.totalRequests} replies from ${spec.loop.subject} are wrong; the first one: ${figures.firstError}`,
        );
      }
      return figures;
    },
  };
}

type Build =
  | { readonly kind: "built"; readonly path: string }
  | { readonly kind: "impossible"; readonly reason: string };

async function buildGo(report: (line: string) => void): Promise<Build> {
  const go = await findOnPath("go");
  if (go === undefined) return { kind: "impossible", reason: "there is no go on PATH" };
  const bin = join(cacheFolder(), "bin");
  const path = join(bin, `bench-load-${await digestOf(GO_FOLDER)}`);
  if (await isExecutable(path)) return { kind: "built", path };
  report("building the load generator …");
  await mkdir(bin, { recursive: true });
  const scratch = `${path}.${process.pid}`;
  try {
    await run(go, ["build", "-trimpath", "-o", scratch, "."], {
      timeoutMs: BUILD_TIMEOUT_MS,
      cwd: GO_FOLDER,
      env: { CGO_ENABLED: "0" },
    });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { kind: "impossible", reason: error.message };
  }
  await rename(scratch, path);
  return { kind: "built", path };
}

async function digestOf(folder: string): Promise<string> {
  const hash = createHash("sha256");
  const files = await Array.fromAsync(glob("{*.go,go.*}", { cwd: folder }));
  for (const file of files.toSorted()) hash.update(`${file}\0`).update(await readFile(join(folder, file)));
  return hash.digest("hex").slice(0, 16);
}
