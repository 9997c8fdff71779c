/**
 * Python to a component by componentize-py, from PyPI in an environment of its own.
 *
 * @module
 */

import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../lib/command.ts";
import { ROOT } from "../lib/project.ts";
import { builtOnce, CONTRACT_SOURCES } from "./built-once.ts";
import { obtainPythonTool } from "./python-tool.ts";
import { CACHE } from "./recipe.ts";

const REQUIREMENT = "componentize-py==0.25.1";

const BUILD_TIMEOUT_MS = 10 * 60_000;

/** Builds `app.py` of a folder into a plugin of the contract's own world; returns the component's path. */
export async function buildPythonPlugin(name: string, folder: string): Promise<string> {
  return builtOnce({
    name,
    sources: [`${folder}/app.py`, ...CONTRACT_SOURCES],
    builtWith: REQUIREMENT,
    build: async () => {
      const tool = await obtainPythonTool("python", REQUIREMENT, "componentize-py");
      const output = join(CACHE, `${name}.unfinished.wasm`);
      const world = ["-d", join(ROOT, "wit"), "-w", "network-plugin"];
      await run(tool, [...world, "componentize", "-p", join(ROOT, folder), "app", "-o", output], {
        timeoutMs: BUILD_TIMEOUT_MS,
      });
      const component = await readFile(output);
      await rm(output);
      return component;
    },
  });
}
