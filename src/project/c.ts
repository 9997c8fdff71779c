/**
 * Plugins in C and C++: CMake, with the package `network-plugin-api-c` in the project's folder. Its toolchain file brings a
 * compiler, unless a preset of the project names another.
 *
 * @module
 */

import { glob } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "../contract/user-folders.ts";
import { type BuildOptions, type BuildOutcome, type LanguageKit, remarksIn } from "./language.ts";
import { exists } from "./paths.ts";
import { runTool, type ToolResult } from "./tool.ts";

const INSTALL = "install CMake 3.20 or later with make or Ninja (pip install cmake ninja has both)";
/** The folder of the package's files, below the project's: where a release is unpacked. */
const TOOLCHAINS = ["sdk/*/cmake/zig.cmake", "*/cmake/zig.cmake"];

export const C: LanguageKit = {
  manifest: "CMakeLists.txt",
  isPlugin: (manifest) => manifest.includes("add_network_plugin"),
  nameOf: (manifest) => /add_network_plugin\(\s*([^\s)]+)/.exec(manifest)?.[1],
  sources: [".c", ".h", ".cc", ".cpp", ".hpp", "CMakeLists.txt", ".cmake"],
  build,
};

async function build({ folder, name, watch }: BuildOptions): Promise<BuildOutcome> {
  // Projects share the compiler that the package's toolchain file installs.
  const env = {
    NETWORK_PLUGIN_CACHE: process.env["NETWORK_PLUGIN_CACHE"] || join(cacheFolder(process.env), "toolchains"),
  };
  const run = (title: string, args: readonly string[]): Promise<ToolResult> =>
    runTool(title, { command: "cmake", args, cwd: folder, env, install: INSTALL }, watch);
  const isConfigured = await exists(join(folder, "build/CMakeCache.txt"));
  if (!isConfigured) {
    const [toolchain] = await Array.fromAsync(glob(TOOLCHAINS, { cwd: folder }));
    const named = toolchain === undefined ? [] : [`-DCMAKE_TOOLCHAIN_FILE=${toolchain}`];
    const generator = process.env["CMAKE_GENERATOR"] === undefined && (await hasNinja(folder)) ? ["-G", "Ninja"] : [];
    const configured = await run("cmake -B build", ["-B", "build", ...generator, ...named]);
    if (!configured.ok) return failed(configured, ADVICE);
  }
  const result = await run("cmake --build build", ["--build", "build"]);
  if (!result.ok) return failed(result, /CMakeCache\.txt/.test(result.stderr) ? ADVICE : undefined);
  const component = join(folder, "build", `${name ?? ""}.wasm`);
  if (!(await exists(component)))
    return { kind: "failed", tool: "cmake", output: `The build made no ${component}.`, advice: ADVICE };
  const remarks = remarksIn(`${result.stdout}\n${result.stderr}`, STEP);
  return { kind: "built", component, remarks };
}

/** A line of Ninja or make that only says what is being done. */
const STEP = /^\[\s*\d+(?:\/\d+|%)\]|^(?:gmake|make)|^Consolidate|^$/;

const ADVICE = "if the folder build/ was made in another way or at another place, remove it and build again";

function failed({ stdout, stderr }: ToolResult, advice?: string): BuildOutcome {
  const output = `${stdout}\n${stderr}`
    .split("\n")
    .filter((line) => !STEP.test(line))
    .join("\n");
  return { kind: "failed", tool: "cmake", output, ...(advice !== undefined && { advice }) };
}

async function hasNinja(folder: string): Promise<boolean> {
  const watch = { begun: ignore, line: ignore, ended: ignore, signal: AbortSignal.timeout(10_000) };
  const run = { command: "ninja", args: ["--version"], cwd: folder, install: INSTALL };
  return await runTool("ninja --version", run, watch).then(
    ({ ok }) => ok,
    () => false,
  );
}

function ignore(): void {
  // Nobody watches.
}
