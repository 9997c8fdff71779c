/**
 * The host's build: `src/` compiled to `dist/`, the runner's program in one file.
 *
 * Invariants: `dist/` is only ever replaced as a whole, by a build that succeeded; it names the digest of the sources
 * that it was made of, so a build that would give the same is left out. Every user may read it.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { glob, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../lib/command.ts";
import { ROOT } from "../lib/project.ts";
import { keepApiDeclarations } from "./declarations.ts";
import { openModes } from "./open-modes.ts";
import { bundleRunner } from "./runner-bundle.ts";

const STAMP = ".sources.sha256";
const COMPILE_TIMEOUT_MS = 300_000;

/** Compiles the host unless `dist` is of the same sources. @returns whether it compiled. */
export async function buildHost(dist: string = join(ROOT, "dist")): Promise<boolean> {
  const digest = await sourcesDigest();
  if ((await stampOf(dist)) === digest) return false;
  const scratch = await mkdtemp(join(ROOT, "node_modules/.dist-"));
  try {
    const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
    await run(process.execPath, [tsc, "-p", "tsconfig.build.json", "--outDir", scratch], {
      timeoutMs: COMPILE_TIMEOUT_MS,
      cwd: ROOT,
    });
    await keepApiDeclarations(scratch);
    await bundleRunner(scratch);
    await writeFile(join(scratch, STAMP), digest);
    await openModes(scratch);
    await rm(dist, { recursive: true, force: true });
    await rename(scratch, dist);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return true;
}

async function stampOf(dist: string): Promise<string | undefined> {
  return readFile(join(dist, STAMP), "utf8").catch(() => undefined);
}

async function sourcesDigest(): Promise<string> {
  const hash = createHash("sha256");
  const configuration = ["tsconfig.json", "tsconfig.build.json", "package-lock.json"];
  const sources = await Array.fromAsync(glob(["src/**/*.{ts,json}", "scripts/build/*.ts"], { cwd: ROOT }));
  for (const path of [...configuration, ...sources.toSorted()]) {
    hash.update(`${path}\0`).update(await readFile(join(ROOT, path)));
  }
  return hash.digest("hex");
}
