/**
 * The author's types, checked by the TypeScript of the author's project, or else by this package's.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { access } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { BuildError } from "./build-error.ts";

/** Checks what `tsconfig.json` of the folder names; without such a file there is nothing to check. @throws BuildError */
export async function checkTypes(folder: string): Promise<void> {
  const config = join(folder, "tsconfig.json");
  if (!(await isThere(config))) return;
  const { output, code } = await tsc(findTsc(folder), folder);
  if (code !== 0)
    throw new BuildError(`${output.trim()}\n(network-plugin-api build --no-check builds it all the same)`);
}

function findTsc(folder: string): string {
  for (const from of [join(folder, "package.json"), import.meta.filename]) {
    try {
      return join(dirname(createRequire(from).resolve("typescript/package.json")), "bin", "tsc");
    } catch {
      continue;
    }
  }
  throw new BuildError("No TypeScript was found. Install it (npm install --save-dev typescript), or say --no-check");
}

async function tsc(path: string, cwd: string): Promise<{ output: string; code: number | null }> {
  const child = spawn(process.execPath, [path, "--noEmit", "--pretty", "false", "-p", "."], { cwd });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.once("error", reject);
  child.once("close", resolve);
  return { code: await promise, output };
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
