/**
 * Writing generated files, or checking that those in the tree are what would be written (`--check`).
 *
 * @module
 */

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { format, type FormatConfig } from "oxfmt";
import formatConfig from "../.oxfmtrc.json" with { type: "json" };

export const PROJECT_FOLDER: string = resolve(import.meta.dirname, "..");

/** The text as the project's formatter leaves it, so that formatting never undoes generating. */
export async function formatText(file: string, text: string): Promise<string> {
  const { $schema: _schema, ignorePatterns: _ignored, ...options } = formatConfig;
  const { code, errors } = await format(file, text, options satisfies FormatConfig);
  if (errors.length > 0) throw new Error(`${file}: ${errors.map((error) => error.message).join("; ")}`);
  return code;
}

/** The text of a file of the project, or an empty one if there is no such file. */
export async function readProjectFile(file: string): Promise<string> {
  try {
    return await readFile(join(PROJECT_FOLDER, file), "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  }
}

/** Writes the files, or with `--check` reports those that differ and sets the exit code. */
export async function writeOrCheck(files: ReadonlyMap<string, string>, command: string): Promise<void> {
  const check = process.argv.includes("--check");
  for (const [file, text] of files) {
    const current = await readProjectFile(file);
    if (current === text) continue;
    if (check) {
      console.error(`${file} is out of date (${firstDifference(current, text)}); run: ${command}`);
      process.exitCode = 1;
      continue;
    }
    const path = join(PROJECT_FOLDER, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    console.log(`wrote ${file}`);
  }
}

function firstDifference(current: string, wanted: string): string {
  if (current === "") return "missing";
  const have = current.split("\n");
  const want = wanted.split("\n");
  const at = want.findIndex((line, index) => line !== have[index]);
  if (at === -1) return `it has lines after line ${want.length}`;
  return `line ${at + 1} is ${JSON.stringify(have[at] ?? "")} and should be ${JSON.stringify(want[at])}`;
}
