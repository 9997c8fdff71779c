/**
 * Rust as plugin authors have it: rustup's, with the target that makes components of itself.
 *
 * @module
 */

import { findOnPath, run } from "../lib/command.ts";
import { MissingToolchainError } from "./recipe.ts";

/** What a plugin is built for. */
export const COMPONENT_TARGET = "wasm32-wasip2";

const PROBE_TIMEOUT_MS = 60_000;
const INSTALL_TIMEOUT_MS = 10 * 60_000;

const ADVICE = `No Rust that builds for ${COMPONENT_TARGET} was found. Install rustup (https://rustup.rs), then:
  rustup target add ${COMPONENT_TARGET}`;

/**
 * Adds the target to rustup's toolchain where it is missing.
 *
 * @returns the compiler's name and version
 * @throws {@link MissingToolchainError}
 */
export async function obtainWasmRust(target: string = COMPONENT_TARGET): Promise<string> {
  const rustup = await findOnPath("rustup");
  if (rustup === undefined) throw new MissingToolchainError(ADVICE);
  if (!(await hasTarget(rustup, target)))
    await run(rustup, ["target", "add", target], { timeoutMs: INSTALL_TIMEOUT_MS });
  const version = await run("rustc", ["--version"], { timeoutMs: PROBE_TIMEOUT_MS });
  return version.split(" ", 2).join(" ");
}

/** Does rustup's toolchain have the target? */
export async function hasTarget(rustup: string, target: string): Promise<boolean> {
  const installed = await run(rustup, ["target", "list", "--installed"], { timeoutMs: PROBE_TIMEOUT_MS });
  return installed.split("\n").includes(target);
}
