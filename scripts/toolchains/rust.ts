/**
 * Rust to a component: by a toolchain of rustup, or by Debian's, which compiles the standard library from its sources.
 *
 * The target is the bare one, so that no runtime adds WASI imports to what the plugin itself asks for.
 *
 * @module
 */

import { access, mkdir, readdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

import { componentNew } from "@bytecodealliance/jco";

import { findOnPath, run } from "../lib/command.ts";
import { ROOT } from "../lib/project.ts";
import { hasTarget } from "./rust-for-wasm.ts";
import { type Built, CACHE, MissingToolchainError, type Recipe } from "./recipe.ts";

/** One Cargo package that builds one `cdylib`. */
export interface RustPackage {
  readonly output: string;
  readonly folder: string;
  /** The library's name: the package's, with underscores. */
  readonly library: string;
  /** Does it have the standard library compiled its own way? Only Debian's toolchain does that. */
  readonly ownStd?: boolean;
}

interface RustToolchain {
  readonly cargo: string;
  readonly name: string;
  readonly buildArguments: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

// A clean build compiles the standard library too: three minutes of a processor.
const BUILD_TIMEOUT_MS = 30 * 60_000;
const FETCH_TIMEOUT_MS = 5 * 60_000;
const PROBE_TIMEOUT_MS = 30_000;

const TARGET = "wasm32-unknown-unknown";

const DEBIAN_CARGO = "/usr/bin/cargo";
const DEBIAN_RUSTC = "/usr/bin/rustc";
const DEBIAN_STD_SOURCES = "/usr/lib/rustlib/src/rust";
const WASM_LINKER = "wasm-ld-19";

const ADVICE = `No Rust for WebAssembly was found. Install one of these:
  rustup target add wasm32-unknown-unknown
  apt-get install rustc-web cargo-web rust-web-src lld-19`;

/** How to build a Rust package. */
export function rustRecipe(source: RustPackage): Recipe {
  return { output: source.output, build: () => build(source) };
}

async function build(source: RustPackage): Promise<Built> {
  const toolchain = (await detectDebian()) ?? (source.ownStd === true ? undefined : await detectRustup());
  if (toolchain === undefined) throw new MissingToolchainError(ADVICE);
  const { cargo, buildArguments } = toolchain;
  const cwd = join(ROOT, source.folder);
  const targetFolder = join(CACHE, "rust");
  await mkdir(targetFolder, { recursive: true });
  const env = { ...toolchain.env, CARGO_TARGET_DIR: targetFolder };
  await run(cargo, ["fetch", "--locked", "--target", TARGET], { timeoutMs: FETCH_TIMEOUT_MS, cwd, env });
  await run(cargo, ["build", "--release", "--locked", "--target", TARGET, ...buildArguments], {
    timeoutMs: BUILD_TIMEOUT_MS,
    cwd,
    env: { ...env, CARGO_ENCODED_RUSTFLAGS: (await pathFlags(cwd)).join("\u001f") },
  });
  const binary = await readFile(join(targetFolder, TARGET, "release", `${source.library}.wasm`));
  return { component: await componentNew(binary), builtWith: toolchain.name };
}

/** Panic messages name source files: the same ones on every machine, and none of the machine's own folders. */
export async function pathFlags(packageFolder: string): Promise<string[]> {
  const registries = join(process.env["CARGO_HOME"] ?? join(homedir(), ".cargo"), "registry", "src");
  const names = await readdir(registries).catch(() => []);
  const replaced = [
    [DEBIAN_STD_SOURCES, "/rust"],
    ...names.map((name) => [join(registries, name), "/crates"]),
    [packageFolder, "/plugin"],
    [join(ROOT, "sdk/rust"), "/network-plugin-api"],
  ];
  return replaced.map(([from, to]) => `--remap-path-prefix=${from}=${to}`);
}

async function detectDebian(): Promise<RustToolchain | undefined> {
  try {
    await Promise.all([DEBIAN_CARGO, DEBIAN_RUSTC, DEBIAN_STD_SOURCES].map((path) => access(path)));
  } catch {
    return undefined;
  }
  if ((await findOnPath(WASM_LINKER)) === undefined) return undefined;
  return {
    cargo: DEBIAN_CARGO,
    name: await rustVersion(DEBIAN_RUSTC),
    buildArguments: ["-Zbuild-std=std,panic_abort"],
    env: {
      RUSTC: DEBIAN_RUSTC,
      RUSTC_BOOTSTRAP: "1",
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: WASM_LINKER,
    },
  };
}

async function detectRustup(): Promise<RustToolchain | undefined> {
  const rustup = await findOnPath("rustup");
  if (rustup === undefined || !(await hasTarget(rustup, TARGET))) return undefined;
  return { cargo: "cargo", name: `${await rustVersion("rustc")} of rustup`, buildArguments: [], env: {} };
}

async function rustVersion(rustc: string): Promise<string> {
  const version = await run(rustc, ["--version"], { timeoutMs: PROBE_TIMEOUT_MS });
  return version.split(" ", 2).join(" ").trim();
}
