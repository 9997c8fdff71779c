/**
 * Go to a component: stock Go makes a WASI 0.1 reactor, which jco's wasm-tools adapt to WASI 0.2.
 *
 * The bindings are committed with the plugin. What they stand on is a Go module that is published in the crate of their
 * generator, too; it is taken from there, so that both are of one version.
 *
 * @module
 */

import { glob, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { componentEmbed, componentNew, preview1AdapterReactorPath } from "@bytecodealliance/jco";
import { findOnPath, isExecutable, run } from "../lib/command.ts";
import { ROOT } from "../lib/project.ts";
import { builtOnce } from "./built-once.ts";
import { assembleWitDocument, CONTRACT_FILES } from "./contract.ts";
import { obtainCrate } from "./crates.ts";
import { CACHE, MissingToolchainError } from "./recipe.ts";

/** A plugin in Go: a folder with a module, its bindings and their world. */
export interface GoPlugin {
  readonly name: string;
  readonly folder: string;
  /** The file of its world, which has the name `world`. */
  readonly wit: string;
  readonly world: string;
  /** Packages of WASI that the world names, and those that they name: folders of `wit/deps`. */
  readonly wasi: readonly string[];
}

/** Of the same version as the generator of the bindings (bindings-generator/Cargo.toml). */
const RUNTIME = {
  name: "wit-bindgen-go",
  version: "0.63.0",
  sha256: "baa1f6a09b5901067987f0c27d32e5e917f4946f2aafa1307500467ed3f74a33",
};
/** The path by which bindings import it. */
export const RUNTIME_MODULE = "go.bytecodealliance.org/pkg";

/** Where Go's own installer puts it. */
const USUAL_GO = "/usr/local/go/bin/go";

const ADVICE = `No Go was found. Install Go 1.25 or later: https://go.dev/doc/install`;

const PROBE_TIMEOUT_MS = 30_000;
// A clean build compiles the standard library too: half a minute of a processor.
const BUILD_TIMEOUT_MS = 10 * 60_000;

/** The same bytes on every machine, whatever it is set to. `checklinkname`: the runtime allocates by `runtime.sbrk`. */
const BUILD = ["build", "-buildvcs=false", "-trimpath", "-buildmode=c-shared", "-ldflags=-s -w -checklinkname=0"];
const ENVIRONMENT = { GOOS: "wasip1", GOARCH: "wasm", GOFLAGS: "", GOWORK: "off", GOWASM: "" };

/** Finds Go, on `PATH` or where it usually is. @throws {@link MissingToolchainError} */
export async function findGo(): Promise<string> {
  const found = (await findOnPath("go")) ?? ((await isExecutable(USUAL_GO)) ? USUAL_GO : undefined);
  if (found === undefined) throw new MissingToolchainError(ADVICE);
  return found;
}

/** Builds a plugin; returns the component's path. @throws {@link MissingToolchainError} */
export async function buildGoPlugin(plugin: GoPlugin): Promise<string> {
  const go = await findGo();
  const version = (await run(go, ["env", "GOVERSION"], { timeoutMs: PROBE_TIMEOUT_MS, cwd: ROOT })).trim();
  return builtOnce({
    name: plugin.name,
    sources: [
      ...(await listSources(plugin.folder)),
      plugin.wit,
      ...CONTRACT_FILES,
      "scripts/toolchains/go.ts",
      "node_modules/@bytecodealliance/jco/package.json",
    ],
    builtWith: `${version}, ${RUNTIME.name} ${RUNTIME.version}`,
    build: async () => {
      const core = await compile(go, plugin);
      const witSource = await assembleWitDocument(plugin.wit, plugin.wasi);
      const embedded = await componentEmbed({ binary: core, witSource, world: plugin.world });
      const adapter = await readFile(preview1AdapterReactorPath());
      return componentNew(embedded, [["wasi_snapshot_preview1", adapter]]);
    },
  });
}

async function listSources(folder: string): Promise<string[]> {
  const sources = await Array.fromAsync(glob("**/*.{go,s,mod}", { cwd: join(ROOT, folder) }));
  return sources.sort().map((source) => `${folder}/${source}`);
}

async function compile(go: string, { name, folder }: GoPlugin): Promise<Uint8Array> {
  await mkdir(CACHE, { recursive: true });
  const work = await mkdtemp(join(CACHE, `${name}.`));
  try {
    const moduleFile = join(work, "go.mod");
    const module = await readFile(join(ROOT, folder, "go.mod"), "utf8");
    // Relative: the path is written into the binary.
    const runtime = relative(join(ROOT, folder), await obtainRuntime());
    await writeFile(moduleFile, `${module}\nreplace ${RUNTIME_MODULE} => ${runtime}\n`);
    const output = join(work, "core.wasm");
    await run(go, [...BUILD, `-modfile=${moduleFile}`, "-o", output, "."], {
      timeoutMs: BUILD_TIMEOUT_MS,
      cwd: join(ROOT, folder),
      env: ENVIRONMENT,
    });
    return await readFile(output);
  } finally {
    await rm(work, { recursive: true });
  }
}

/** The runtime's module, with a module file that asks for no newer Go than its code needs. @returns its folder. */
export async function obtainRuntime(): Promise<string> {
  const folder = join(await obtainCrate(RUNTIME), "src", "pkg");
  // Whole or not at all: another run may read it now.
  const unfinished = join(folder, `go.mod.${process.pid}`);
  await writeFile(unfinished, `module ${RUNTIME_MODULE}\n\ngo 1.25\n`);
  await rename(unfinished, join(folder, "go.mod"));
  return folder;
}
