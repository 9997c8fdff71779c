/**
 * The world of one plugin: what its code imports, and the contract's handler.
 *
 * @module
 */

import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { HANDLER, WIT_FOLDER } from "./contract.ts";

export const WORLD = "plugin";

/** The contract's files without its own world: that one imports HTTP, which not every engine can link. */
const CONTRACT = ["host.wit", "plugin.wit", "types.wit"];

/** The world as a WIT document. */
export function worldText(imports: readonly string[]): string {
  const lines = [...new Set(imports)].sort().map((name) => `  import ${name};\n`);
  return `package network-plugin:build;\n\nworld ${WORLD} {\n${lines.join("")}  export ${HANDLER};\n}\n`;
}

/** Writes the world, and below `deps/` all that it can name. @returns the folder */
export async function writeWorld(folder: string, imports: readonly string[]): Promise<string> {
  const wit = join(folder, "wit");
  const contract = join(wit, "deps", "network-host");
  await mkdir(contract, { recursive: true });
  await cp(join(WIT_FOLDER, "deps"), join(wit, "deps"), { recursive: true });
  for (const file of CONTRACT) await cp(join(WIT_FOLDER, file), join(contract, file));
  await writeFile(join(wit, "world.wit"), worldText(imports));
  return wit;
}
