/**
 * Rust to a component by cargo-component, which reads the contract by itself and writes the bindings that it is built with.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { findOnPath, isExecutable, run } from "../lib/command.ts";
import { ROOT } from "../lib/project.ts";
import { type Built, CACHE, MissingToolchainError, type Recipe } from "./recipe.ts";
import { pathFlags, type RustPackage } from "./rust.ts";
import { obtainWasmRust } from "./rust-for-wasm.ts";

const VERSION = "0.21.1";
/** Its name, as it is recorded with what it builds. */
export const CARGO_COMPONENT: string = `cargo-component ${VERSION}`;
/** How its users install it. */
export const INSTALL_CARGO_COMPONENT: string = `cargo install cargo-component --version ${VERSION} --locked`;
const INSTALLED = join(CACHE, "cargo-component");

/** The bare target: no runtime adds WASI imports to what the plugin itself asks for. */
const TARGET = "wasm32-unknown-unknown";

/** cargo-component looks for it whatever it builds for, and installs it only where rustup's own cargo has started it. */
const ALWAYS_NEEDED = "wasm32-wasip1";

const BUILD_TIMEOUT_MS = 20 * 60_000;
// Some 400 crates: ten minutes of a processor.
const INSTALL_TIMEOUT_MS = 60 * 60_000;

/** How to build a package by cargo-component, where that is installed. */
export function cargoComponentRecipe(source: RustPackage): Recipe {
  return { output: source.output, build: () => build(source) };
}

/** Installs cargo-component where it is missing. @returns its path */
export async function installCargoComponent(): Promise<string> {
  const found = await findCargoComponent();
  if (found !== undefined) return found;
  const args = ["install", "cargo-component", "--version", VERSION, "--locked", "--debug", "--root", INSTALLED];
  const env = { CARGO_PROFILE_DEV_DEBUG: "0", CARGO_TARGET_DIR: join(INSTALLED, "target") };
  await run("cargo", args, { timeoutMs: INSTALL_TIMEOUT_MS, env });
  return join(INSTALLED, "bin/cargo-component");
}

async function findCargoComponent(): Promise<string | undefined> {
  for (const path of [await findOnPath("cargo-component"), join(INSTALLED, "bin/cargo-component")])
    if (path !== undefined && (await isExecutable(path))) return path;
  return undefined;
}

async function build(source: RustPackage): Promise<Built> {
  const program = await findCargoComponent();
  if (program === undefined)
    throw new MissingToolchainError(`No cargo-component was found: ${INSTALL_CARGO_COMPONENT}`);
  await obtainWasmRust(ALWAYS_NEEDED);
  const rust = await obtainWasmRust(TARGET);
  const cwd = join(ROOT, source.folder);
  const targetFolder = join(CACHE, "cargo-component-target");
  await run(program, ["component", "build", "--release", "--locked", "--target", TARGET], {
    timeoutMs: BUILD_TIMEOUT_MS,
    cwd,
    env: { CARGO_TARGET_DIR: targetFolder, CARGO_ENCODED_RUSTFLAGS: (await pathFlags(cwd)).join("\u001f") },
  });
  const component = await readFile(join(targetFolder, TARGET, "release", `${source.library}.wasm`));
  return { component, builtWith: `${CARGO_COMPONENT}, ${rust}` };
}
