/**
 * Plugins in TypeScript and JavaScript: the npm package `network-plugin-api`, whose command makes the component.
 *
 * @module
 */

import { join } from "node:path";
import { isInstalled, markInstalled } from "./installed.ts";
import { type BuildOptions, type BuildOutcome, type LanguageKit, remarksIn } from "./language.ts";
import { exists } from "./paths.ts";
import { runTool } from "./tool.ts";

const PACKAGE = "network-plugin-api";

export const TYPESCRIPT: LanguageKit = {
  manifest: "package.json",
  isPlugin: (manifest) => {
    const { dependencies = {}, devDependencies = {} } = read(manifest);
    return Object.hasOwn({ ...dependencies, ...devDependencies }, PACKAGE);
  },
  nameOf: (manifest) => read(manifest).name,
  sources: [".ts", ".js", ".mts", ".mjs", "package.json", "tsconfig.json"],
  build,
};

interface Manifest {
  readonly name?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

function read(manifest: string): Manifest {
  try {
    return JSON.parse(manifest) as Manifest;
  } catch {
    return {};
  }
}

async function build({ folder, watch }: BuildOptions): Promise<BuildOutcome> {
  const modules = join(folder, "node_modules");
  const program = join(modules, PACKAGE, "dist", "cli.js");
  if (!(await exists(program)) || !(await isInstalled(modules, join(folder, "package.json")))) {
    const args = ["install", "--no-audit", "--no-fund", "--prefer-offline"];
    const install = "install Node with npm (https://nodejs.org)";
    const result = await runTool("npm install", { command: "npm", args, cwd: folder, install }, watch);
    if (!result.ok) return { kind: "failed", tool: "npm", output: result.stderr || result.stdout };
    await markInstalled(modules, join(folder, "package.json"));
  }
  const command = { command: process.execPath, args: [program, "build"], cwd: folder, install: "install Node" };
  const result = await runTool("network-plugin-api build", command, watch);
  if (!result.ok) return { kind: "failed", tool: "network-plugin-api", output: result.stderr || result.stdout };
  const said = result.stdout.split("\n").filter((line) => line.startsWith("said while"));
  const remarks = [...said, remarksIn(result.stderr, /^$/)].join("\n").trim();
  return { kind: "built", component: join(folder, "plugin.wasm"), remarks };
}
