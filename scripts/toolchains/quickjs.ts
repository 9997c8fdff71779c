/**
 * The TypeScript example: checked by tsc, bundled by rolldown, put on QuickJS by componentize-qjs.
 *
 * All of it comes from node_modules, so the set-up builds this component and nothing of a megabyte is committed. It is
 * built again when a source or a tool changes, and not otherwise.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { _setPreopens } from "@bytecodealliance/preview2-shim/filesystem";
import { componentize } from "componentize-qjs";
import { rolldown } from "rolldown";

import { run } from "../lib/command.ts";
import { ROOT } from "../lib/project.ts";
import { digestOf } from "./committed.ts";
import { builtOnce } from "./built-once.ts";
import { assembleWit, CONTRACT_FILES } from "./contract.ts";
import { CACHE } from "./recipe.ts";

const FOLDER = "examples/user-data-ts";
const OUTPUT = join(ROOT, FOLDER, "user-data-ts.wasm");
const TYPES_FOLDER = join(ROOT, FOLDER, "generated");
const STAMP = join(CACHE, "user-data-ts.stamp");
const WORLD = "user-data";

const SOURCES = [
  ...["plugin.ts", "utf8.ts", "user-data.wit", "tsconfig.json"].map((name) => `${FOLDER}/${name}`),
  ...CONTRACT_FILES,
  "scripts/toolchains/quickjs.ts",
];
const TOOLS = ["@bytecodealliance/jco-transpile", "componentize-qjs", "rolldown", "typescript"];

const TYPE_CHECK_TIMEOUT_MS = 60_000;

/** Builds the component, unless it is up to date. */
export async function buildTypeScriptExample(tell: (line: string) => void): Promise<void> {
  const inputs = await digestInputs();
  if ((await readOrEmpty(STAMP)) === (await stampOf(inputs))) return tell(`${OUTPUT_NAME}: up to date`);
  const witPath = await assembleWit(`${FOLDER}/user-data.wit`, WORLD);
  await writeTypes(witPath);
  await run(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", join(ROOT, FOLDER)], {
    timeoutMs: TYPE_CHECK_TIMEOUT_MS,
  });
  const jsSource = await bundle(`${FOLDER}/plugin.ts`);
  const { component } = await componentize({ witPath, world: WORLD, jsSource, sync: true, optSize: true });
  await writeFile(OUTPUT, component);
  await mkdir(dirname(STAMP), { recursive: true });
  await writeFile(STAMP, await stampOf(inputs));
  tell(`${OUTPUT_NAME}: ${component.length} bytes, by componentize-qjs ${await versionOf("componentize-qjs")}`);
}

const OUTPUT_NAME = "user-data-ts/user-data-ts.wasm";

/** Where a plugin in JavaScript is, and the world that it is built for. */
export interface QuickJsPlugin {
  readonly name: string;
  readonly source: string;
  /** The file of its world, which has the name `world`. */
  readonly wit: string;
  readonly world: string;
  /** Packages of WASI that the world names: folders of `wit/deps`. */
  readonly wasi: readonly string[];
  /** Modules that the source imports. */
  readonly modules: readonly string[];
}

/** Builds one module into a plugin; returns the component's path. */
export async function buildQuickJsPlugin(plugin: QuickJsPlugin): Promise<string> {
  const { name, source, wit, world } = plugin;
  return builtOnce({
    name,
    sources: [source, ...plugin.modules, wit, ...CONTRACT_FILES],
    builtWith: `componentize-qjs ${await versionOf("componentize-qjs")}, rolldown ${await versionOf("rolldown")}`,
    build: async () => {
      const witPath = await assembleWit(wit, world, plugin.wasi);
      const jsSource = await bundle(source);
      const { component } = await componentize({ witPath, world, jsSource, sync: true, optSize: true });
      return component;
    },
  });
}

async function bundle(source: string): Promise<string> {
  const build = await rolldown({
    input: join(ROOT, source),
    platform: "neutral",
    // The host provides these when the component is linked.
    external: /^(local:network-host|wasi:)/,
  });
  try {
    const { output } = await build.generate({ format: "esm", minify: true });
    return output[0].code;
  } finally {
    await build.close();
  }
}

/** Declarations of what a plugin imports, made from the WIT and true for QuickJS: editors and tsc read them. */
async function writeTypes(witPath: string): Promise<void> {
  // jco reads WIT files through WASI, and the shim gives it no folders unless told to. It looks once, when jco is
  // loaded. (The shim's types describe its browser build.)
  (_setPreopens as unknown as (preopens: Readonly<Record<string, string>>) => void)({ "/": "/" });
  const { generateGuestTypes } = await import("@bytecodealliance/jco-transpile");
  const files = await generateGuestTypes(witPath, { name: WORLD, worldName: WORLD, outDir: "" });
  for (const [name, contents] of Object.entries(files)) {
    const path = join(TYPES_FOLDER, name);
    await mkdir(dirname(path), { recursive: true });
    const text = typeof contents === "string" ? contents : Buffer.from(contents).toString("utf8");
    await writeFile(path, declareNull(text));
  }
}

/** QuickJS has `null` for an absent `option`, where the generator's mapping has `undefined`. */
function declareNull(declarations: string): string {
  const declared = declarations.replace(/(?<=\): .*) \| undefined(?=;$)/gm, " | null");
  if (/\bundefined\b/.test(declared))
    throw new Error("the declarations have an `undefined` that is not a function's result");
  return declared;
}

/** One digest of every source's bytes and every tool's version. */
async function digestInputs(): Promise<string> {
  const hash = createHash("sha256");
  for (const source of SOURCES) hash.update(`${source}\n`).update(await readFile(join(ROOT, source)));
  for (const tool of TOOLS) hash.update(`${tool} ${await versionOf(tool)}\n`);
  return hash.digest("hex");
}

/** What the stamp holds when the output is the one built of these inputs. */
async function stampOf(inputs: string): Promise<string> {
  const component = await readFile(OUTPUT).catch(() => Buffer.of());
  return `${inputs} ${digestOf(component)}\n`;
}

async function versionOf(tool: string): Promise<string> {
  const text = await readFile(join(ROOT, "node_modules", tool, "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

async function readOrEmpty(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
