/**
 * What WIT tools are given, made of the contract and a plugin's own world: a folder, which every tool understands, or
 * one document.
 *
 * @module
 */

import { cp, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";

import { ROOT } from "../lib/project.ts";
import { CACHE } from "./recipe.ts";

/** Where the contract's interfaces stand. Its world is left out: a plugin that has its own needs no WASI packages. */
export const CONTRACT_FILES = ["wit/host.wit", "wit/plugin.wit", "wit/types.wit"];

const PACKAGE = /^package ([^;]+);/m;

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

/** @returns the world, and after it the contract and the named packages of WASI, each as a package within the document. */
export async function assembleWitDocument(worldFile: string, wasi: readonly string[]): Promise<string> {
  const packages = [nestedPackage(CONTRACT_FILES)];
  for (const name of wasi) {
    const folder = join("wit", "deps", name);
    packages.push(nestedPackage((await readdir(join(ROOT, folder))).map((file) => join(folder, file))));
  }
  return [await readFile(join(ROOT, worldFile), "utf8"), ...(await Promise.all(packages))].join("\n");
}

/** Files of one package. At least one of them names it, as a file of its own does. */
async function nestedPackage(files: readonly string[]): Promise<string> {
  const texts = await Promise.all(files.map((file) => readFile(join(ROOT, file), "utf8")));
  const [, name] = texts.map((text) => PACKAGE.exec(text)).find((match) => match !== null) ?? [];
  return `package ${name} {\n${texts.map((text) => text.replace(PACKAGE, "")).join("\n")}\n}`;
}
