/**
 * `node scripts/pack-sdk.ts <folder> [language...]`: packs the packages of `sdk/` as registries have them, into one folder,
 * from which `network-host new --sdk <folder>` takes them.
 *
 * @module
 */

import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { CommandError } from "./lib/command.ts";
import { PACKERS, type PackedLanguage } from "./pack-sdk/packers.ts";

const ALL = Object.keys(PACKERS) as PackedLanguage[];
const [folder, ...named] = process.argv.slice(2);
const unknown = named.find((name) => !ALL.includes(name as PackedLanguage));
if (folder === undefined || unknown !== undefined) {
  console.error(`usage: node scripts/pack-sdk.ts <folder> [${ALL.join("|")}]...`);
  process.exitCode = 2;
} else {
  try {
    const into = resolve(folder);
    await mkdir(into, { recursive: true });
    for (const language of named.length === 0 ? ALL : (named as PackedLanguage[]))
      console.log(await PACKERS[language](into));
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
