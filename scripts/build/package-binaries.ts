/**
 * Copies what packages of `sdk/` carry of other projects' binaries. Git ignores the copies: they are there to be packed.
 *
 * @module
 */

import { copyFile, mkdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ROOT } from "../lib/project.ts";

const ADAPTER = "node_modules/@bytecodealliance/jco/lib/wasi_snapshot_preview1.reactor.wasm";
const WASM_TOOLS = "node_modules/@bytecodealliance/jco-transpile/vendor/wasm-tools.core.wasm";

/** A package, where a binary comes from, and its place in the package. */
const BINARIES: readonly (readonly [folder: string, from: string, to: string])[] = [
  ["sdk/c", ADAPTER, "adapter/wasi_snapshot_preview1.reactor.wasm"],
  ["sdk/go", ADAPTER, "internal/component/wasi_snapshot_preview1.reactor.wasm"],
  ["sdk/go", WASM_TOOLS, "internal/component/wasm-tools.core.wasm"],
];

/** A package that is not there, as in an image's build, is left out. */
export async function copyPackageBinaries(): Promise<void> {
  for (const [folder, from, to] of BINARIES) {
    if ((await stat(join(ROOT, folder)).catch(() => undefined)) === undefined) continue;
    const target = join(ROOT, folder, to);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(join(ROOT, from), target);
  }
}
