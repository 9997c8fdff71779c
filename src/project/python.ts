/**
 * Plugins in Python: the wheel `network-plugin-api` in a virtual environment of the project, whose command makes the
 * component.
 *
 * @module
 */

import { join } from "node:path";
import { isInstalled, markInstalled } from "./installed.ts";
import type { BuildOptions, BuildOutcome, LanguageKit } from "./language.ts";
import { exists } from "./paths.ts";
import { runTool, type ToolResult } from "./tool.ts";

const INSTALL = "install Python 3.10 or later with venv and pip (https://www.python.org/downloads/)";
const REQUIREMENTS = "requirements.txt";

export const PYTHON: LanguageKit = {
  manifest: REQUIREMENTS,
  isPlugin: (manifest) => /network[-_]plugin[-_]api/.test(manifest),
  nameOf: () => undefined,
  sources: [".py", REQUIREMENTS],
  build,
};

async function build(options: BuildOptions): Promise<BuildOutcome> {
  const { folder, watch } = options;
  const environment = join(folder, ".venv");
  const python = join(environment, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
  const failed = await prepare(options, environment, python);
  if (failed !== undefined) return { kind: "failed", tool: "pip", output: failed.stderr || failed.stdout };
  const run = { command: python, args: ["-m", "network_plugin", "build"], cwd: folder, install: INSTALL };
  const result = await runTool("python -m network_plugin build", run, watch);
  if (!result.ok) return { kind: "failed", tool: "network_plugin", output: result.stderr || result.stdout };
  return { kind: "built", component: join(folder, "plugin.wasm"), remarks: result.stderr.trim() };
}

/** Makes the environment and installs what the project needs. Returns the run that failed, if one did. */
async function prepare(
  { folder, watch }: BuildOptions,
  environment: string,
  python: string,
): Promise<ToolResult | undefined> {
  const isThere = await exists(python);
  if (!isThere) {
    const run = { command: "python3", args: ["-m", "venv", environment], cwd: folder, install: INSTALL };
    const made = await runTool("python3 -m venv .venv", run, watch);
    if (!made.ok) return made;
  }
  const list = join(folder, REQUIREMENTS);
  if (isThere && (await isInstalled(environment, list))) return undefined;
  const args = ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--requirement", REQUIREMENTS];
  const run = { command: python, args, cwd: folder, install: INSTALL };
  const installed = await runTool(`pip install -r ${REQUIREMENTS}`, run, watch);
  if (!installed.ok) return installed;
  await markInstalled(environment, list);
  return undefined;
}
