/**
 * The folder that every WIT tool understands, made of the contract and a plugin's own world.
 *
 * @module
 */

import { cp, mkdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";

import { ROOT } from "../lib/project.ts";
import { CACHE } from "./recipe.ts";

/** Where the contract's interfaces stand. Its world is left out: a plugin that has its own needs no WASI packages. */
export const CONTRACT_FILES = ["wit/host.wit", "wit/plugin.wit", "wit/types.wit"];

/** @returns a folder that holds the world, and below `deps/` the contract and the named packages of WASI. */
export async function assembleWit(worldFile: string, name: string, wasi: readonly string[] = []): Promise<string> {
  const folder = join(CACHE, "wit", name);
  const dependency = join(folder, "deps", "network-host");
  await rm(folder, { recursive: true, force: true });
  await mkdir(dependency, { recursive: true });
  await cp(join(ROOT, worldFile), join(folder, "world.wit"));
  for (const file of CONTRACT_FILES) await cp(join(ROOT, file), join(dependency, basename(file)));
  for (const wanted of wasi)
    await cp(join(ROOT, "wit", "deps", wanted), join(folder, "deps", wanted), { recursive: true });
  return folder;
}
