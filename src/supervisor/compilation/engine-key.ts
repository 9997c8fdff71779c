/**
 * Names the version of everything that decides what an artifact is: artifacts made under one key are never used under
 * another. The key changes with jco's version, with Node's (V8 runs what was generated for it) and with any change of
 * the host's own gate, rewrite or reader. So an upgrade checks and builds everything anew.
 *
 * @module
 */

import { glob, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { digestOf, shortDigest } from "../../contract/digest.ts";
import { toHostError } from "../../errors/host-error.ts";
import { CODE_ROOT } from "../sandbox/child-program.ts";

/** Code that decides what an artifact is, including which imports may suspend. */
export const DECIDING_FILES: readonly string[] = [
  "compiler/**/*.{ts,js}",
  "core-wasm/**/*.{ts,js}",
  "component/**/*.{ts,js}",
  "contract/**/*.{ts,js}",
  "capabilities/{async-imports,capabilities}.{ts,js}",
  "capabilities/*/{definition,messages}.{ts,js}",
];

let key: Promise<string> | undefined;

/** The engine's key, for example `jco-1.35.0-5d41402abc4b`; computed once. */
export function engineKey(): Promise<string> {
  key ??= computeKey().catch((error: unknown) => {
    key = undefined;
    throw toHostError(error);
  });
  return key;
}

async function computeKey(): Promise<string> {
  const paths = (await Array.fromAsync(glob(DECIDING_FILES, { cwd: CODE_ROOT }))).sort();
  const contents = await Promise.all(paths.map((path) => readFile(join(CODE_ROOT, path))));
  const digests = contents.map((content, index) => `${paths[index]} ${digestOf(content)}`);
  const fingerprint = shortDigest(digestOf([process.versions.node, ...digests].join("\n")));
  return `jco-${await jcoVersion()}-${fingerprint}`;
}

async function jcoVersion(): Promise<string> {
  const entry = fileURLToPath(import.meta.resolve("@bytecodealliance/jco/component"));
  const description: unknown = JSON.parse(await readFile(join(dirname(entry), "..", "package.json"), "utf8"));
  const version = (description as { readonly version?: unknown }).version;
  return typeof version === "string" ? version : "unknown";
}
