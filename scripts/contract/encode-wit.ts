/**
 * Encodes WIT into a component whose only content is its types, with the tools that plugin authors use.
 *
 * @module
 */

import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { _setPreopens } from "@bytecodealliance/preview2-shim/filesystem";
import { CAPABILITIES } from "../../src/capabilities/capabilities.ts";
import { readWitFiles } from "../../src/cli/wit-files.ts";
import { withLaterFunctions } from "../../src/contract/linked-world.ts";

/** The contract's folder. */
export const WIT_DIR: string = fileURLToPath(new URL("../../wit", import.meta.url));

// jco reads WIT files through WASI, and the shim gives it no folders unless told to; it looks once, before its
// first call, so this stands before jco is loaded.
// (The shim's types describe its browser build.)
(_setPreopens as unknown as (preopens: Readonly<Record<string, string>>) => void)({ "/": "/" });
const { componentEmbed, componentNew, componentWit } = await import("@bytecodealliance/jco");

/** A component of a world without content: every import and export is declared, nothing is done. */
export async function encodeWorld(witDir: string, world: string): Promise<Uint8Array> {
  const module = await componentEmbed({ dummy: true, witPath: witDir, world });
  return await componentNew(module, []);
}

/** The normal form of a world's WIT, as the encoder resolved it: comments and layout do not count. */
export async function printWorld(witDir: string, world: string): Promise<string> {
  return await componentWit(await encodeWorld(witDir, world));
}

/** Everything that a plugin may import, and the handler. */
const WORLD = `package local:network-host@1.0.0;
world everything {
  import logging;
  import key-value-store;
  import types;
  include wasi:cli/imports@0.2.0;
  import wasi:random/insecure@0.2.0;
  import wasi:random/insecure-seed@0.2.0;
  import wasi:http/types@0.2.0;
  import wasi:http/outgoing-handler@0.2.0;
${versionedImports()}  export handler;
}
`;

/** Interfaces of capabilities that are neither the contract's nor of WASI 0.2. */
function versionedImports(): string {
  return CAPABILITIES.flatMap(({ interfaces, version }) =>
    version === undefined ? [] : interfaces.map((name) => `  import ${name}@${version};\n`),
  ).join("");
}

/** A component that imports every interface a plugin may import, and exports the handler. */
export async function encodeEverything(): Promise<Uint8Array> {
  const directory = await mkdtemp(join(tmpdir(), "network-host-wit-"));
  try {
    await cp(WIT_DIR, directory, { recursive: true });
    await writeFile(join(directory, "everything.wit"), WORLD);
    for (const [file, text] of withLaterFunctions(await readWitFiles())) await writeFile(join(directory, file), text);
    return await encodeWorld(directory, "everything");
  } finally {
    await rm(directory, { recursive: true });
  }
}
