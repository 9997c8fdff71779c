/**
 * Copies what every package carries into its folder of `sdk/`: the contract (`wit/`) and the licence. Writes
 * what is made of the contract without a toolchain: the declarations for TypeScript, and what the client for callers knows of
 * the protocol.
 * With `--check`, only compares; a file in such a copy that is not in the original counts as a difference, too.
 *
 * What is generated of the contract by a toolchain (bindings in C and Go) is not made here: see `toolchains/bindings.ts`. Nor are binaries copied: see
 * `build/package-binaries.ts`.
 *
 * @module
 */

import { glob, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { PROJECT_FOLDER, writeOrCheck } from "./generated-file.ts";
import { clientSources } from "./generate-sdk/client.ts";
import { typescriptDeclarations } from "./generate-sdk/typescript.ts";

/** A package of `sdk/`. */
interface SdkPackage {
  readonly folder: string;
  /** Files and folders of this project that it has a copy of, at the same place in its own folder. */
  readonly copies: readonly string[];
}

const CONTRACT = ["wit/*.wit", "wit/deps/**"];

const PACKAGES: readonly SdkPackage[] = [
  ...["c", "rust", "typescript"].map((name) => ({ folder: `sdk/${name}`, copies: ["LICENSE", ...CONTRACT] })),
  { folder: "sdk/client", copies: ["LICENSE"] },
  { folder: "sdk/python", copies: ["LICENSE"] },
  // A wheel holds what is within its modules.
  { folder: "sdk/python/src/network_plugin", copies: CONTRACT },
];

/** Folders of a package that hold nothing else than what is written here. */
const GENERATED = ["wit/**", "types/*/interfaces/**"];

const COMMAND = "npm run generate";

/** File of the project → its text. */
export async function generateSdk(): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const { folder, copies } of PACKAGES)
    for (const file of await filesOf(PROJECT_FOLDER, copies))
      files.set(join(folder, file), await readFile(join(PROJECT_FOLDER, file), "utf8"));
  for (const [file, text] of await typescriptDeclarations()) files.set(file, text);
  for (const [file, text] of await clientSources()) files.set(file, text);
  return files;
}

/** Files in the copies that no original corresponds to. */
export async function strayFiles(generated: ReadonlyMap<string, string>): Promise<string[]> {
  const stray: string[] = [];
  for (const { folder } of PACKAGES)
    for (const file of await filesOf(join(PROJECT_FOLDER, folder), GENERATED))
      if (!generated.has(join(folder, file))) stray.push(join(folder, file));
  return stray;
}

async function filesOf(cwd: string, patterns: readonly string[]): Promise<string[]> {
  const entries = await Array.fromAsync(glob([...patterns], { cwd, withFileTypes: true }));
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(cwd.length + 1))
    .sort();
}

async function main(): Promise<void> {
  const files = await generateSdk();
  for (const file of await strayFiles(files)) {
    if (process.argv.includes("--check")) {
      console.error(`${file} has no original; run: ${COMMAND}`);
      process.exitCode = 1;
    } else {
      await rm(join(PROJECT_FOLDER, file));
      console.log(`removed ${file}`);
    }
  }
  await writeOrCheck(files, COMMAND);
}

if (import.meta.main) await main();
