/**
 * Single crates of crates.io as cargo downloads them, for what is in them beside Rust: test data, a runtime in Go.
 *
 * @module
 */

import { glob, mkdir, mkdtemp, readFile, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { findOnPath, run, succeeds } from "../lib/command.ts";
import { digestOf } from "./committed.ts";
import { CACHE, MissingToolchainError } from "./recipe.ts";

/** One version of a crate, and what its archive has to be. */
export interface Crate {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
}

const PROBE_TIMEOUT_MS = 30_000;
const FETCH_TIMEOUT_MS = 3 * 60_000;
const UNPACK_TIMEOUT_MS = 60_000;
const INSTALL_TIMEOUT_MS = 10 * 60_000;

const ADVICE = `Crates are fetched by cargo 1.82 or later. Install one of these:
  apt-get install cargo-web
  rustup (https://rustup.rs)`;

/** Fetches and unpacks a crate, unless that was done before. @returns the folder of its files. */
export async function obtainCrate(crate: Crate): Promise<string> {
  const root = `${crate.name}-${crate.version}`;
  const folder = join(CACHE, "crates", root);
  if (await exists(folder)) return folder;
  const archive = (await findArchive(crate)) ?? (await fetchArchive(crate));
  await mkdir(join(CACHE, "crates"), { recursive: true });
  const unpacked = await mkdtemp(`${folder}.`);
  await run("tar", ["-xzf", archive, "-C", unpacked, root], { timeoutMs: UNPACK_TIMEOUT_MS });
  // Whole or not at all; where another run was faster, its folder stays.
  await rename(join(unpacked, root), folder).catch(async (error: unknown) => {
    if (!(await exists(folder))) throw error;
  });
  await rm(unpacked, { recursive: true });
  return folder;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function fetchArchive(crate: Crate): Promise<string> {
  const cargo = await findCargo();
  // In a folder without a package: cargo would take that one for the question.
  await mkdir(CACHE, { recursive: true });
  await run(cargo, ["info", `${crate.name}@${crate.version}`], { timeoutMs: FETCH_TIMEOUT_MS, cwd: CACHE });
  const archive = await findArchive(crate);
  if (archive === undefined)
    throw new MissingToolchainError(`cargo did not give the ${crate.name} ${crate.version} that is expected`);
  return archive;
}

/** Where cargo keeps the crate, once its content is what it has to be. */
async function findArchive({ name, version, sha256 }: Crate): Promise<string | undefined> {
  const cache = join(process.env["CARGO_HOME"] ?? join(homedir(), ".cargo"), "registry", "cache");
  for await (const path of glob(`*/${name}-${version}.crate`, { cwd: cache })) {
    const archive = join(cache, path);
    if (digestOf(await readFile(archive)) === sha256) return archive;
  }
  return undefined;
}

/** A cargo that has `info`, which fetches one crate without all that it depends on. */
async function findCargo(): Promise<string> {
  const found = await usableCargo();
  if (found !== undefined) return found;
  if (process.getuid?.() === 0 && (await findOnPath("apt-get")) !== undefined) await installCargo();
  const installed = await usableCargo();
  if (installed === undefined) throw new MissingToolchainError(ADVICE);
  return installed;
}

async function usableCargo(): Promise<string | undefined> {
  for (const cargo of [await findOnPath("cargo"), "/usr/bin/cargo"])
    if (cargo !== undefined && (await succeeds(cargo, ["help", "info"], PROBE_TIMEOUT_MS))) return cargo;
  return undefined;
}

async function installCargo(): Promise<void> {
  const wait = ["-o", "DPkg::Lock::Timeout=300"];
  const options = { timeoutMs: INSTALL_TIMEOUT_MS, env: { DEBIAN_FRONTEND: "noninteractive" } };
  await run("apt-get", [...wait, "update", "-qq"], options);
  await run("apt-get", [...wait, "install", "-y", "-qq", "--no-install-recommends", "cargo-web"], options);
}
