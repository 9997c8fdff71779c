/**
 * The gauntlet with any set of requested levels.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { parse, print } from "@bytecodealliance/jco";
import { COMPONENTS } from "../harness/plugins.ts";

/** What the gauntlet that requests everything returns from `get-access-levels`, as a function of its core module. */
const ALL_LEVELS = /(\(result i32\)\s+i32\.const )7(\s+\))/g;

/** The gauntlet with all methods, requesting these flags. */
export async function gauntletRequesting(bits: number): Promise<Uint8Array> {
  const text = await print(await readFile(COMPONENTS.gauntlet("all")));
  const found = [...text.matchAll(ALL_LEVELS)].length;
  if (found !== 1) throw new Error(`the gauntlet has ${found} functions that return 7`);
  return await parse(text.replace(ALL_LEVELS, `$1${bits}$2`));
}
