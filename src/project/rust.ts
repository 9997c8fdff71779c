/**
 * Plugins in Rust: cargo, with the crate `network-plugin-api`.
 *
 * @module
 */

import type { BuildOptions, BuildOutcome, LanguageKit } from "./language.ts";
import { runTool } from "./tool.ts";

const TARGET = "wasm32-wasip2";
const INSTALL = `install Rust by rustup (https://rustup.rs), then run: rustup target add ${TARGET}`;

/** What rustc says where its standard library for the target is not installed. */
const NO_TARGET = new RegExp(`target may not be installed|can't find crate for .(?:core|std).|"?${TARGET}"? not found`);

export const RUST: LanguageKit = {
  manifest: "Cargo.toml",
  isPlugin: (manifest) => /^\s*\[?[\w."-]*\bnetwork-plugin-api\b/m.test(manifest),
  nameOf: (manifest) => /^\[package\][^[]*?^name\s*=\s*"([^"]+)"/ms.exec(manifest)?.[1],
  sources: [".rs", "Cargo.toml"],
  build,
};

/** A line of `cargo build --message-format json`, as far as it is read. */
interface CargoMessage {
  readonly reason?: string;
  readonly filenames?: readonly string[];
  readonly message?: { readonly rendered?: string; readonly level?: string };
}

async function build({ folder, watch }: BuildOptions): Promise<BuildOutcome> {
  const args = ["build", "--release", "--target", TARGET, "--message-format", "json"];
  const result = await runTool("cargo build", { command: "cargo", args, cwd: folder, install: INSTALL }, watch);
  const messages = result.stdout.split("\n").flatMap(parseLine);
  const said = messages.map(({ message }) => message?.rendered ?? "").join("");
  if (!result.ok) {
    const output = `${said}${said === "" ? result.stderr : ""}`;
    const advice = NO_TARGET.test(output) ? { advice: `run: rustup target add ${TARGET}` } : {};
    return { kind: "failed", tool: "cargo", output, ...advice };
  }
  const component = messages
    .filter(({ reason }) => reason === "compiler-artifact")
    .flatMap(({ filenames = [] }) => filenames)
    .findLast((file) => file.endsWith(".wasm"));
  if (component !== undefined) return { kind: "built", component, remarks: said.trim() };
  const advice = 'add to Cargo.toml: [lib] with crate-type = ["cdylib"]';
  return { kind: "failed", tool: "cargo", output: "The build made no component.", advice };
}

function parseLine(line: string): CargoMessage[] {
  if (!line.startsWith("{")) return [];
  try {
    return [JSON.parse(line) as CargoMessage];
  } catch {
    // A build script may write what it likes.
    return [];
  }
}
