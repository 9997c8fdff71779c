/**
 * Python to a component by componentize-py, from PyPI in an environment of its own.
 *
 * @module
 */

import { access, mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { findOnPath, run } from "../lib/command.ts";
import { ROOT } from "../lib/project.ts";
import { builtOnce, CONTRACT_SOURCES } from "./built-once.ts";
import { CACHE, MissingToolchainError } from "./recipe.ts";

const REQUIREMENT = "componentize-py==0.25.1";
const ENVIRONMENT = join(CACHE, "python");
const TOOL = join(ENVIRONMENT, "bin", "componentize-py");

const INSTALL_TIMEOUT_MS = 5 * 60_000;
const BUILD_TIMEOUT_MS = 10 * 60_000;

/** Builds `app.py` of a folder into a plugin of the contract's own world; returns the component's path. */
export async function buildPythonPlugin(name: string, folder: string): Promise<string> {
  return builtOnce({
    name,
    sources: [`${folder}/app.py`, ...CONTRACT_SOURCES],
    builtWith: REQUIREMENT,
    build: async () => {
      await install();
      const output = join(CACHE, `${name}.unfinished.wasm`);
      const world = ["-d", join(ROOT, "wit"), "-w", "network-plugin"];
      await run(TOOL, [...world, "componentize", "-p", join(ROOT, folder), "app", "-o", output], {
        timeoutMs: BUILD_TIMEOUT_MS,
      });
      const component = await readFile(output);
      await rm(output);
      return component;
    },
  });
}

async function install(): Promise<void> {
  const isInstalled = await access(TOOL).then(
    () => true,
    () => false,
  );
  if (isInstalled) return;
  const python = await findOnPath("python3");
  if (python === undefined)
    throw new MissingToolchainError("No Python was found. Install python3 with its module venv.");
  await mkdir(CACHE, { recursive: true });
  await run(python, ["-m", "venv", ENVIRONMENT], { timeoutMs: INSTALL_TIMEOUT_MS });
  await run(join(ENVIRONMENT, "bin", "python"), ["-m", "pip", "install", "--quiet", REQUIREMENT], {
    timeoutMs: INSTALL_TIMEOUT_MS,
  });
}
