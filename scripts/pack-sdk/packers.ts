/**
 * Packs each package of `sdk/` as its registry has it.
 *
 * @module
 */

import { copyFile, cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { copyPackageBinaries } from "../build/package-binaries.ts";
import { run } from "../lib/command.ts";
import { ROOT } from "../lib/project.ts";

/** Languages whose package can be packed. */
export type PackedLanguage = "rust" | "typescript" | "python" | "go" | "c";

/** Packs into a folder. @returns the path of what was made. */
export type Pack = (into: string) => Promise<string>;

const TIMEOUT_MS = 10 * 60_000;
const VERSION = "1.0.0";

export const PACKERS: Readonly<Record<PackedLanguage, Pack>> = {
  typescript: async (into) => {
    const args = ["pack", "--silent", "--pack-destination", into];
    const output = await run("npm", args, { timeoutMs: TIMEOUT_MS, cwd: join(ROOT, "sdk/typescript") });
    return join(into, output.trim().split("\n").at(-1) ?? "");
  },

  rust: async (into) =>
    inScratch(async (scratch) => {
      // Without a repository around it, cargo does not ask for a clean tree.
      const source = join(scratch, "crate");
      await cp(join(ROOT, "sdk/rust"), source, { recursive: true, filter: (path) => basename(path) !== "target" });
      await run("cargo", ["package", "--no-verify", "--allow-dirty", "--quiet"], {
        timeoutMs: TIMEOUT_MS,
        cwd: source,
        env: { CARGO_TARGET_DIR: join(scratch, "target") },
      });
      const name = `network-plugin-api-${VERSION}.crate`;
      await copyFile(join(scratch, "target/package", name), join(into, name));
      return join(into, name);
    }),

  python: async (into) =>
    inScratch(async (scratch) => {
      // A build leaves folders beside the sources.
      const source = join(scratch, "wheel");
      await cp(join(ROOT, "sdk/python"), source, { recursive: true });
      await run("python3", ["-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", into, source], {
        timeoutMs: TIMEOUT_MS,
      });
      return join(into, `network_plugin_api-${VERSION}-py3-none-any.whl`);
    }),

  go: async (into) => {
    const proxy = join(into, "goproxy");
    await run("go", ["run", "-C", join(ROOT, "sdk/go/pack"), ".", proxy, `v${VERSION}`], { timeoutMs: TIMEOUT_MS });
    return proxy;
  },

  c: async (into) => {
    await copyPackageBinaries();
    return inScratch(async (scratch) => {
      const name = `network-plugin-api-c-${VERSION}`;
      const isPart = (path: string): boolean => ![".gitignore", "build"].includes(basename(path));
      await cp(join(ROOT, "sdk/c"), join(scratch, name), { recursive: true, filter: isPart });
      const archive = join(into, `${name}.tar.gz`);
      await run("tar", ["-czf", archive, "-C", scratch, name], { timeoutMs: TIMEOUT_MS });
      return archive;
    });
  },
};

async function inScratch(work: (scratch: string) => Promise<string>): Promise<string> {
  const scratch = await mkdtemp(join(tmpdir(), "pack-sdk-"));
  try {
    return await work(scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
