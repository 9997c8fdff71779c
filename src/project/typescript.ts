/**
 * Plugins in TypeScript and JavaScript: the npm package `network-plugin-api`, whose command makes the component.
 *
 * @module
 */

import { join } from "node:path";
import { z } from "zod";
import { HostError } from "../errors/host-error.ts";
import { isInstalled, markInstalled } from "./installed.ts";
import { type BuildOptions, type BuildOutcome, type LanguageKit, remarksIn } from "./language.ts";
import { exists } from "./paths.ts";
import { runTool } from "./tool.ts";

const PACKAGE = "network-plugin-api";

export const TYPESCRIPT: LanguageKit = {
  manifest: "package.json",
  isPlugin: (manifest) => {
    // What does not name the package may be anything: the folder may be of another language.
    if (!manifest.includes(PACKAGE)) return false;
    const { dependencies = {}, devDependencies = {} } = read(manifest);
    return Object.hasOwn({ ...dependencies, ...devDependencies }, PACKAGE);
  },
  nameOf: (manifest) => read(manifest).name,
  sources: [".ts", ".js", ".mts", ".mjs", "package.json", "tsconfig.json"],
  build,
};

const dependenciesSchema = z.record(z.string(), z.string()).optional();

const manifestSchema = z.object({
  name: z.string().optional(),
  dependencies: dependenciesSchema,
  devDependencies: dependenciesSchema,
});

function read(manifest: string): z.output<typeof manifestSchema> {
  let document: unknown;
  try {
    document = JSON.parse(manifest);
  } catch (error) {
    throw unusable((error as SyntaxError).message);
  }
  const { success, data, error } = manifestSchema.safeParse(document);
  if (success) return data;
  const { path = [], message = "" } = error.issues[0] ?? {};
  throw unusable(path.length === 0 ? message : `${path.join(".")}: ${message}`);
}

function unusable(why: string): HostError {
  return new HostError("usage-invalid", `the project's package.json cannot be used: ${why}; correct the file`);
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
