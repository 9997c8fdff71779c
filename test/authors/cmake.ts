/**
 * CMake for the tests of authors in C: the machine's, or else the one of PyPI, which brings Ninja along.
 *
 * @module
 */

import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { findOnPath, run } from "../../scripts/lib/command.ts";
import { MissingToolchainError } from "../../scripts/toolchains/recipe.ts";

const REQUIREMENTS = ["cmake==3.31.6", "ninja==1.11.1.4"];
const INSTALL_TIMEOUT_MS = 10 * 60_000;

/** @returns what has to be in the environment of a command that runs CMake: a folder for `PATH`, and variables. */
export async function obtainCMake(cache: string): Promise<{ path: string; env: Readonly<Record<string, string>> }> {
  const [cmake, make] = [await findOnPath("cmake"), await findOnPath("make")];
  if (cmake !== undefined && make !== undefined) return { path: join(cmake, ".."), env: {} };
  const folder = join(cache, "cmake");
  const found = { path: join(folder, "bin"), env: { CMAKE_GENERATOR: "Ninja" } };
  const isInstalled = await access(join(found.path, "ninja")).then(
    () => true,
    () => false,
  );
  if (isInstalled) return found;
  const python = await findOnPath("python3");
  if (python === undefined)
    throw new MissingToolchainError("No Python was found. Install python3 with its module venv.");
  await mkdir(cache, { recursive: true });
  await run(python, ["-m", "venv", folder], { timeoutMs: INSTALL_TIMEOUT_MS });
  await run(join(found.path, "python"), ["-m", "pip", "install", "--quiet", ...REQUIREMENTS], {
    timeoutMs: INSTALL_TIMEOUT_MS,
  });
  return found;
}
