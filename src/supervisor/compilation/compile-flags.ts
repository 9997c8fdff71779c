/**
 * The command line of the compiler's process.
 *
 * @module
 */

import { CODE_ROOT, dependencyRoots, programPath } from "../sandbox/child-program.ts";

/** JavaScript heap: the generated code of the largest known component is 2 MB. */
const HEAP_MIB = 1_024;

/** Linear memory of the transpiler, in pages of 64 KiB: 1.5 GiB. Components of 18 MB took a tenth of it. */
const TRANSPILER_PAGES = 24_576;

/** What the process may allocate, used or not: both of the above, and what Node allocates at its start. */
export const COMPILER_MAX_DATA_BYTES: number = 4 * 1024 * 1024 * 1024;

/** Arguments for the Node executable. */
export function compilerArguments(mode: "compile" | "inspect"): string[] {
  return [
    "--permission",
    `--allow-fs-read=${CODE_ROOT}`,
    ...[...dependencyRoots()].map((root) => `--allow-fs-read=${root}`),
    "--disallow-code-generation-from-strings",
    `--max-old-space-size=${HEAP_MIB}`,
    `--wasm-max-mem-pages=${TRANSPILER_PAGES}`,
    "--no-warnings",
    programPath("compiler/main"),
    mode,
  ];
}
