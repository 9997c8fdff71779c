/**
 * The contract and WASI, as this package carries them in `wit/`.
 *
 * @module
 */

import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";

/** The folder of this package. */
export const PACKAGE_FOLDER: string = join(import.meta.dirname, "..");

/** The WIT files that are built against. */
export const WIT_FOLDER: string = join(PACKAGE_FOLDER, "wit");

export const HANDLER = "local:network-host/handler@1.0.0";
export const LOGGING = "local:network-host/logging@1.0.0";
export const KEY_VALUE = "local:network-host/key-value-store@1.0.0";
const RANDOM = "wasi:random/random@0.2.0";

/** What the code around the author's imports, by engine. */
export const OWN_IMPORTS = { quickjs: [LOGGING, RANDOM], starlingmonkey: [LOGGING] } as const;

const PACKAGE = /^package ([^;@]+)@([^;]+);/m;
const INTERFACE = /^interface ([a-z0-9-]+) \{/gm;

/** Every interface that a plugin may import, with its version. */
export async function listInterfaces(): Promise<string[]> {
  const texts = new Map<string, string>();
  for await (const file of glob("{*,deps/*/*}.wit", { cwd: WIT_FOLDER })) {
    const folder = file.split(/[\\/]/).slice(0, -1).join("/");
    texts.set(folder, `${texts.get(folder) ?? ""}\n${await readFile(join(WIT_FOLDER, file), "utf8")}`);
  }
  return [...texts.values()].flatMap((text) => {
    const [, name = "", version = ""] = PACKAGE.exec(text) ?? [];
    return [...text.matchAll(INTERFACE)].map(([, one]) => `${name}/${one}@${version}`);
  });
}

/** Is this how hosts' modules are named, known or not? */
export function isInterface(specifier: string): boolean {
  return /^(local|wasi):/.test(specifier);
}
