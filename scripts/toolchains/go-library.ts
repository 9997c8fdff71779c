/**
 * Bindings in Go for a library: what the generator writes stands on packages of its own project, which not every module proxy
 * has. They are copied beside the bindings, and the bindings import the copies.
 *
 * @module
 */

import { copyFile, glob, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { run } from "../lib/command.ts";
import { findGo, obtainRuntime, RUNTIME_MODULE } from "./go.ts";

/** What bindings without futures and streams need, and their licence. */
const RUNTIME_FILES: ReadonlyMap<string, string> = new Map([
  ["LICENSE", "wit/LICENSE"],
  ...["runtime/empty.s", "runtime/runtime.go"].map((file): [string, string] => [`wit/${file}`, `wit/${file}`]),
  ...["option", "result", "tuple", "unit"].map((name): [string, string] => [
    `wit/types/${name}.go`,
    `wit/types/${name}.go`,
  ]),
]);

const FORMAT_TIMEOUT_MS = 60_000;

/** Files that are beside the bindings once {@link completeLibrary} was there. */
export const RUNTIME_COPIES: readonly string[] = [...RUNTIME_FILES.values()];

/**
 * Puts the runtime into a folder of generated bindings.
 *
 * @param folder where they are
 * @param importPath the path by which Go imports that folder
 */
export async function completeLibrary(folder: string, importPath: string): Promise<void> {
  const runtime = await obtainRuntime();
  for (const [from, to] of RUNTIME_FILES) {
    await mkdir(dirname(join(folder, to)), { recursive: true });
    await copyFile(join(runtime, from), join(folder, to));
  }
  for await (const file of glob("{imports,exports}/**/*.go", { cwd: folder })) {
    const path = join(folder, file);
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replaceAll(`"${RUNTIME_MODULE}/`, `"${importPath}/`));
  }
  // Imports are sorted by their paths.
  const gofmt = join(dirname(await findGo()), "gofmt");
  await run(gofmt, ["-w", "imports", "exports"], { timeoutMs: FORMAT_TIMEOUT_MS, cwd: folder });
}
