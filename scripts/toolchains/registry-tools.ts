/**
 * The tools of others that put components into registries and take them out: wkg and oras.
 *
 * @module
 */

import { join } from "node:path";
import { findOnPath, isExecutable, run } from "../lib/command.ts";
import { CACHE } from "./recipe.ts";

const WKG_VERSION = "0.16.1";
const ORAS_VERSION = "v1.3.6";
const INSTALLED = join(CACHE, "registry-tools");

// Some 400 crates: ten minutes of a processor.
const INSTALL_TIMEOUT_MS = 60 * 60_000;

/** @returns the path of wkg, installed by cargo where it is missing. */
export async function obtainWkg(): Promise<string> {
  return await obtain("wkg", () => {
    const args = ["install", "wkg", "--version", WKG_VERSION, "--locked", "--root", INSTALLED];
    return run("cargo", args, { timeoutMs: INSTALL_TIMEOUT_MS });
  });
}

/** @returns the path of oras, installed by Go where it is missing. */
export async function obtainOras(): Promise<string> {
  return await obtain("oras", () =>
    run("go", ["install", `oras.land/oras/cmd/oras@${ORAS_VERSION}`], {
      timeoutMs: INSTALL_TIMEOUT_MS,
      env: { CGO_ENABLED: "0", GOBIN: join(INSTALLED, "bin") },
    }),
  );
}

async function obtain(tool: string, install: () => Promise<unknown>): Promise<string> {
  const installed = join(INSTALLED, "bin", tool);
  for (const path of [await findOnPath(tool), installed])
    if (path !== undefined && (await isExecutable(path))) return path;
  await install();
  return installed;
}
