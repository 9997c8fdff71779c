/**
 * Plugins in Go: the module `network-host.example/networkplugin`, whose command makes the component by Go alone.
 *
 * @module
 */

import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { type BuildOptions, type BuildOutcome, type LanguageKit, remarksIn } from "./language.ts";
import { exists } from "./paths.ts";
import { runTool } from "./tool.ts";

/** The module's path. */
export const GO_MODULE = "network-host.example/networkplugin";

/** A module proxy of the project's own: the packed module, where it comes from a folder. */
export const GO_PROXY_FOLDER = "sdk/goproxy";

const INSTALL = "install Go 1.25 or later (https://go.dev/doc/install)";

export const GO: LanguageKit = {
  manifest: "go.mod",
  isPlugin: (manifest) => manifest.includes(GO_MODULE),
  nameOf: (manifest) => basename(/^module\s+(\S+)/m.exec(manifest)?.[1] ?? "") || undefined,
  sources: [".go", "go.mod"],
  build,
};

async function build({ folder, watch }: BuildOptions): Promise<BuildOutcome> {
  const env = await environmentOf(folder);
  const run = (title: string, args: readonly string[]) =>
    runTool(title, { command: "go", args, cwd: folder, env, install: INSTALL }, watch);
  if (!(await exists(join(folder, "go.sum")))) {
    const tidied = await run("go mod tidy", ["mod", "tidy"]);
    if (!tidied.ok) return { kind: "failed", tool: "go", output: tidied.stderr };
  }
  const result = await run("go tool network-plugin build", ["tool", "network-plugin", "build"]);
  if (!result.ok) return { kind: "failed", tool: "go", output: result.stderr || result.stdout };
  return { kind: "built", component: join(folder, "plugin.wasm"), remarks: remarksIn(result.stderr, /^$/) };
}

async function environmentOf(folder: string): Promise<Record<string, string>> {
  const proxy = join(folder, GO_PROXY_FOLDER);
  if (!(await exists(proxy))) return {};
  const others = process.env["GOPROXY"] || "https://proxy.golang.org,direct";
  return { GOPROXY: `${pathToFileURL(proxy).href},${others}`, GONOSUMDB: GO_MODULE, GOFLAGS: "-mod=mod" };
}
