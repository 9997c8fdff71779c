/**
 * The crate for authors, packed, and a folder that stands in for a registry: what is built in it needs no network.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../scripts/lib/command.ts";
import { ROOT } from "../../scripts/lib/project.ts";

const TIMEOUT_MS = 10 * 60_000;
const CRATE = "network-plugin-api-1.0.0";

/** Compiled macros are shared by all plugins of the tests, and kept. */
export const TARGET_FOLDER = join(ROOT, ".cache/authors/rust-target");

/** A folder where cargo finds the packed crate and all that it depends on, and nothing else. */
export interface OfflineFolder extends AsyncDisposable {
  readonly path: string;
  /** Files of the crate, as they are packed. */
  readonly packed: readonly string[];
}

/** @throws where what is packed is not what is committed, or to be. */
export async function openOfflineFolder(): Promise<OfflineFolder> {
  const path = await mkdtemp(join(tmpdir(), "authors-rust-"));
  try {
    const archive = await packCrate(join(path, "crate"));
    const listed = await run("tar", ["-tzf", archive], { timeoutMs: TIMEOUT_MS });
    await standIn(path, archive);
    const packed = listed.trim().split("\n");
    return {
      path,
      packed: packed.map((file) => file.replace(`${CRATE}/`, "")),
      [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
    };
  } catch (error) {
    await rm(path, { recursive: true, force: true });
    throw error;
  }
}

/** From a tree in which everything is committed, as cargo asks. @returns the archive's path. */
async function packCrate(folder: string): Promise<string> {
  const source = join(ROOT, "sdk/rust");
  await cp(source, folder, { recursive: true, filter: (path) => path !== join(source, "target") });
  const git = (...args: string[]) =>
    run("git", ["-c", "user.name=a", "-c", "user.email=a@example.com", ...args], {
      cwd: folder,
      timeoutMs: TIMEOUT_MS,
    });
  await git("init", "--quiet");
  await git("add", ".");
  await git("commit", "--quiet", "--message", "all");
  // What is packed is compiled by the plugins that are built against it.
  await run("cargo", ["package", "--no-verify"], {
    cwd: folder,
    timeoutMs: TIMEOUT_MS,
    env: { CARGO_TARGET_DIR: undefined },
  });
  return join(folder, "target/package", `${CRATE}.crate`);
}

async function standIn(folder: string, archive: string): Promise<void> {
  const vendor = join(folder, "vendor");
  const manifest = join(folder, "crate/Cargo.toml");
  await run("cargo", ["vendor", "--locked", "--versioned-dirs", "--manifest-path", manifest, vendor], {
    timeoutMs: TIMEOUT_MS,
  });
  await run("tar", ["-xzf", archive, "-C", vendor], { timeoutMs: TIMEOUT_MS });
  const digest = createHash("sha256")
    .update(await readFile(archive))
    .digest("hex");
  await writeFile(join(vendor, CRATE, ".cargo-checksum.json"), JSON.stringify({ files: {}, package: digest }));
  await mkdir(join(folder, ".cargo"));
  await writeFile(
    join(folder, ".cargo/config.toml"),
    `[net]
offline = true
[source.crates-io]
replace-with = "vendored"
[source.vendored]
directory = ${JSON.stringify(vendor)}
`,
  );
}

/** A plugin of one file, against the crate with these features. @returns the component's path. */
export async function buildPlugin(
  { path }: OfflineFolder,
  name: string,
  source: string,
  dependency = `"1"`,
): Promise<string> {
  const folder = join(path, name);
  await mkdir(join(folder, "src"), { recursive: true });
  await writeFile(join(folder, "src/lib.rs"), source);
  await writeFile(join(folder, "Cargo.toml"), manifestOf(name, dependency));
  await run("cargo", ["build", "--release", "--target", "wasm32-wasip2"], {
    cwd: folder,
    timeoutMs: 2 * TIMEOUT_MS,
    env: { CARGO_TARGET_DIR: TARGET_FOLDER },
  });
  const component = join(folder, `${name}.wasm`);
  await cp(join(TARGET_FOLDER, "wasm32-wasip2/release", `${name}.wasm`), component);
  return component;
}

function manifestOf(name: string, dependency: string): string {
  return `[package]
name = "${name}"
version = "0.1.0"
edition = "2021"

[lib]
crate-type = ["cdylib"]

[dependencies]
network-plugin-api = ${dependency}

[profile.release]
opt-level = "z"
lto = true
codegen-units = 1
panic = "abort"
strip = true
`;
}
