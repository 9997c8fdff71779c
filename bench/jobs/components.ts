/**
 * The plugins' components: committed ones, and those that are built when a job needs them.
 *
 * @module
 */

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "@bytecodealliance/jco";
import { ROOT } from "../../scripts/lib/project.ts";
import { buildGoPlugin } from "../../scripts/toolchains/go.ts";
import { buildPythonPlugin } from "../../scripts/toolchains/python.ts";
import { buildQuickJsPlugin } from "../../scripts/toolchains/quickjs.ts";
import { CACHE } from "../../scripts/toolchains/recipe.ts";
import { buildStarlingPlugin } from "../../scripts/toolchains/starling.ts";

type Obtain = (report: (line: string) => void) => Promise<string>;

const JAVASCRIPT_SOURCE = "bench/plugins/javascript/plugin.js";
const KEY_VALUE_WIT = "bench/plugins/key-value.wit";
const KEY_VALUE_WORLD = "key-value";

const OBTAIN = {
  echo: committed("examples/echo-c/echo.wasm"),
  gauntlet: committed("test/components/gauntlet-none.wasm"),
  "key-value": committed("test/components/gauntlet-read-write.wasm"),
  "user-data-rust": committed("examples/user-data-rust/user-data-rust.wasm"),
  "key-value-quickjs": (report) => {
    report("building the plugin on QuickJS unless it is there …");
    return buildQuickJsPlugin({
      name: "bench-key-value-quickjs",
      source: JAVASCRIPT_SOURCE,
      wit: KEY_VALUE_WIT,
      world: KEY_VALUE_WORLD,
      wasi: [],
      modules: [],
    });
  },
  "key-value-starling": (report) => {
    report("building the plugin on StarlingMonkey unless it is there …");
    return buildStarlingPlugin("bench-key-value-starling", JAVASCRIPT_SOURCE);
  },
  "key-value-go": (report) => {
    report("building the plugin in Go unless it is there …");
    return buildGoPlugin({
      name: "bench-key-value-go",
      folder: "bench/plugins/go",
      wit: KEY_VALUE_WIT,
      world: KEY_VALUE_WORLD,
      wasi: [],
    });
  },
  "key-value-python": (report) => {
    report("building the plugin in Python unless it is there …");
    return buildPythonPlugin("bench-key-value-python", "bench/plugins/python");
  },
  compute: () => assembled(fileURLToPath(new URL("../plugins/compute.wat", import.meta.url))),
} as const satisfies Readonly<Record<string, Obtain>>;

export type ComponentName = keyof typeof OBTAIN;

/**
 * @returns the path of a component, which is built if need be. Rejects with a `MissingToolchainError` or a
 * `CommandError` where this machine cannot build it.
 */
export function obtainComponent(name: ComponentName, report: (line: string) => void): Promise<string> {
  return OBTAIN[name](report);
}

/** Assembles WAT, a module or a component. @returns the binary's path, the same for the same file name. */
export async function assembled(watPath: string): Promise<string> {
  const binary = await parse(await readFile(watPath, "utf8"));
  await mkdir(CACHE, { recursive: true });
  const path = join(CACHE, `bench-${watPath.slice(watPath.lastIndexOf("/") + 1, -".wat".length)}.wasm`);
  await writeFile(path, binary);
  return path;
}

function committed(path: string): Obtain {
  return () => Promise.resolve(join(ROOT, path));
}
