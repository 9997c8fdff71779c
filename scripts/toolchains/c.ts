/**
 * C to a component: by Debian's clang and wasi-libc, or by Zig, which brings both.
 *
 * @module
 */

import { access, mkdir, readFile } from "node:fs/promises";
import { basename, delimiter, join } from "node:path";

import { componentNew } from "@bytecodealliance/jco";

import { findOnPath, run, succeeds } from "../lib/command.ts";
import { ROOT } from "../lib/project.ts";
import { type Built, CACHE, MissingToolchainError, type Recipe } from "./recipe.ts";

/** One program: its sources, and what is particular to its compilation. */
export interface CProgram {
  readonly output: string;
  readonly sources: readonly string[];
  readonly flags?: readonly string[];
}

interface CCompiler {
  readonly command: readonly [string, ...string[]];
  readonly name: string;
}

const COMPILE_TIMEOUT_MS = 120_000;
const PROBE_TIMEOUT_MS = 30_000;

const SYSROOT_HEADERS = "/usr/include/wasm32-wasi";
const CLANGS = ["clang-19", "clang"];

/** A reactor has no `main`: the host calls its exports. */
const FLAGS = ["-std=c17", "-Wall", "-Wextra", "-Werror", "-Oz", "-flto", "-mexec-model=reactor"];
const LINKER_FLAGS = ["-Wl,--gc-sections", "-Wl,--strip-all"];

/**
 * clang passes what it linked through whichever `wasm-opt` it finds. The one in node_modules comes first, so that the
 * same bytes come out everywhere. (`--no-wasm-opt` is not a way out: with it, clang 19 does not link at all.)
 */
const SEARCH_PATH = [join(ROOT, "node_modules", ".bin"), process.env["PATH"]].join(delimiter);

const ADVICE = `No C compiler for WebAssembly was found. Install one of these:
  apt-get install clang-19 lld-19 wasi-libc libclang-rt-19-dev-wasm32
  python3 -m pip install ziglang==0.17.1`;

/** How to build a C program. */
export function cRecipe(program: CProgram): Recipe {
  return { output: program.output, build: () => compile(program) };
}

async function compile(program: CProgram): Promise<Built> {
  const { command, name } = await findCompiler();
  const [executable, ...compilerArguments] = command;
  const out = join(CACHE, "c", basename(program.output));
  await mkdir(join(CACHE, "c"), { recursive: true });
  const flags = [...FLAGS, ...LINKER_FLAGS, ...(program.flags ?? [])];
  await run(executable, [...compilerArguments, ...flags, "-o", out, ...program.sources], {
    timeoutMs: COMPILE_TIMEOUT_MS,
    cwd: ROOT,
    env: { PATH: SEARCH_PATH },
  });
  return { component: await componentNew(await readFile(out)), builtWith: name };
}

let compiler: Promise<CCompiler> | undefined;

/** Looks for a compiler once. */
async function findCompiler(): Promise<CCompiler> {
  compiler ??= detectClang()
    .then((clang) => clang ?? detectZig())
    .then((found) => {
      if (found === undefined) throw new MissingToolchainError(ADVICE);
      return found;
    });
  return compiler;
}

async function detectClang(): Promise<CCompiler | undefined> {
  const hasHeaders = await access(SYSROOT_HEADERS).then(
    () => true,
    () => false,
  );
  if (!hasHeaders) return undefined;
  for (const candidate of CLANGS) {
    const path = await findOnPath(candidate);
    if (path === undefined) continue;
    const version = /clang version (\d+\.\d+\.\d+)/.exec(
      await run(path, ["--version"], { timeoutMs: PROBE_TIMEOUT_MS }),
    );
    const target = ["--target=wasm32-wasi", "--sysroot=/usr", "-isystem", SYSROOT_HEADERS];
    return { command: [path, ...target], name: `clang ${version?.[1] ?? "?"}, ${await wasmOptVersion()}` };
  }
  return undefined;
}

async function wasmOptVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(ROOT, "node_modules", "binaryen", "package.json"), "utf8")) as {
    version: string;
  };
  return `binaryen ${version}`;
}

async function detectZig(): Promise<CCompiler | undefined> {
  const candidates: [string, ...string[]][] = [["zig"], ["python3", "-m", "ziglang"]];
  for (const [executable, ...before] of candidates) {
    if (!(await succeeds(executable, [...before, "version"], PROBE_TIMEOUT_MS))) continue;
    const version = await run(executable, [...before, "version"], { timeoutMs: PROBE_TIMEOUT_MS });
    return { command: [executable, ...before, "cc", "-target", "wasm32-wasi"], name: `zig ${version.trim()}` };
  }
  return undefined;
}
