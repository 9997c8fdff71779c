/**
 * Programs of the benchmark that are not JavaScript: built where their toolchain is there, kept in the project's cache
 * under a digest of their sources, so that a change of these builds them again and nothing else does.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { copyFile, glob, mkdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { CommandError, findOnPath, isExecutable, run } from "../../scripts/lib/command.ts";
import { cacheFolder } from "../../src/contract/user-folders.ts";

/** A program that can be run, or why there is none. */
export type BuiltProgram =
  | { readonly kind: "built"; readonly path: string }
  | { readonly kind: "impossible"; readonly reason: string };

interface Build {
  readonly name: string;
  readonly folder: string;
  /** Patterns of its sources. */
  readonly sources: readonly string[];
  readonly tool: "go" | "cargo";
  /** Leaves the program at `path`. */
  readonly build: (tool: string, path: string) => Promise<void>;
}

const GO_TIMEOUT_MS = 300_000;
/** Wasmtime with its compiler takes ten minutes of a processor. */
const CARGO_TIMEOUT_MS = 40 * 60_000;

/** Builds a Go module's main package. @param report is told before what takes long */
export function buildGoProgram(name: string, folder: string, report: (line: string) => void): Promise<BuiltProgram> {
  const build = async (go: string, path: string): Promise<void> => {
    await run(go, ["build", "-trimpath", "-o", path, "."], {
      timeoutMs: GO_TIMEOUT_MS,
      cwd: folder,
      env: { CGO_ENABLED: "0" },
    });
  };
  return builtOnce({ name, folder, sources: ["*.go", "go.*"], tool: "go", build }, report);
}

/** Builds a Cargo package's program, which bears the package's name. @param report is told before what takes long */
export function buildCargoProgram(
  name: string,
  folder: string,
  moreSources: readonly string[],
  report: (line: string) => void,
): Promise<BuiltProgram> {
  const build = async (cargo: string, path: string): Promise<void> => {
    const target = join(cacheFolder(process.env), "cargo", name);
    await run(cargo, ["build", "--release", "--locked"], {
      timeoutMs: CARGO_TIMEOUT_MS,
      cwd: folder,
      env: { CARGO_TARGET_DIR: target },
    });
    await copyFile(join(target, "release", name), path);
  };
  const sources = ["Cargo.*", "src/*.rs", ...moreSources];
  return builtOnce({ name, folder, sources, tool: "cargo", build }, report);
}

async function builtOnce(
  { name, folder, sources, tool, build }: Build,
  report: (line: string) => void,
): Promise<BuiltProgram> {
  const bin = join(cacheFolder(process.env), "bin");
  const path = join(bin, `${name}-${await digestOf(folder, sources)}`);
  if (await isExecutable(path)) return { kind: "built", path };
  const toolPath = await findOnPath(tool);
  if (toolPath === undefined) return { kind: "impossible", reason: `there is no ${tool} on PATH` };
  report(`building ${name} …`);
  await mkdir(bin, { recursive: true });
  // Whole or not at all: another run may look for it now.
  const scratch = `${path}.${process.pid}`;
  try {
    await build(toolPath, scratch);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { kind: "impossible", reason: error.message };
  }
  await rename(scratch, path);
  return { kind: "built", path };
}

async function digestOf(folder: string, sources: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  const files = await Array.fromAsync(glob([...sources], { cwd: folder }));
  for (const file of files.toSorted()) hash.update(`${file}\0`).update(await readFile(join(folder, file)));
  return hash.digest("hex").slice(0, 16);
}
