/**
 * The component model's own tests, as the crate `wasm-tools` carries them: it is the one package that does. They are
 * data for tests, fetched by cargo, checked against a digest and kept outside of git.
 *
 * @module
 */

import { glob, mkdir, mkdtemp, readFile, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { findOnPath, run, succeeds } from "../lib/command.ts";
import { digestOf } from "./committed.ts";
import { CACHE, MissingToolchainError } from "./recipe.ts";

/** The version of the tools that jco's assembler and validator are made of, so that they understand all of it. */
const VERSION = "1.259.0";
const CRATE = `wasm-tools-${VERSION}`;
const CRATE_SHA256 = "5b08fa752345df58158a86aa48cb747e019f75609de93800f89e3b9274d8040c";
const TESTS = `${CRATE}/tests/component-model/test`;

const PROBE_TIMEOUT_MS = 30_000;
const FETCH_TIMEOUT_MS = 3 * 60_000;
const INSTALL_TIMEOUT_MS = 10 * 60_000;

const ADVICE = `The specification's tests are fetched by cargo 1.82 or later. Install one of these:
  apt-get install cargo-web
  rustup (https://rustup.rs)`;

/** @returns the folder with the specification's `.wast` files. */
export async function obtainSpecificationTests(): Promise<string> {
  const folder = join(CACHE, "specification");
  const tests = join(folder, TESTS);
  const isThere = await stat(tests).then(
    () => true,
    () => false,
  );
  if (isThere) return tests;
  const crate = await fetchCrate(await findCargo());
  await mkdir(CACHE, { recursive: true });
  // Whole or not at all: another run may look for it now.
  const unpacked = await mkdtemp(`${folder}.`);
  await run("tar", ["-xzf", crate, "-C", unpacked, TESTS], { timeoutMs: FETCH_TIMEOUT_MS });
  await rm(folder, { recursive: true, force: true });
  await rename(unpacked, folder);
  return tests;
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

/** Where cargo keeps the crate, once its content is what it has to be. */
async function fetchCrate(cargo: string): Promise<string> {
  // In a folder without a package: cargo would take that one for the question.
  await mkdir(CACHE, { recursive: true });
  await run(cargo, ["info", `wasm-tools@${VERSION}`], { timeoutMs: FETCH_TIMEOUT_MS, cwd: CACHE });
  const cache = join(process.env["CARGO_HOME"] ?? join(homedir(), ".cargo"), "registry", "cache");
  for await (const path of glob(`*/${CRATE}.crate`, { cwd: cache })) {
    const crate = join(cache, path);
    if (digestOf(await readFile(crate)) === CRATE_SHA256) return crate;
  }
  throw new MissingToolchainError(`cargo did not give the ${CRATE}.crate that is expected`);
}
