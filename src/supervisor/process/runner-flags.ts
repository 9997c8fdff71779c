/**
 * The command line of a runner: what Node and V8 are told to deny and to cap. The limits that a guest meets
 * as linear memory and table sizes are enforced by V8 through these flags, per memory and per table; that is
 * why the gate bounds how many of them a component may have.
 *
 * @module
 */

import type { RunnerConfig } from "../../contract/artifact.ts";
import { COMPONENT_LIMITS, WASM_PAGE_BYTES } from "../../contract/component-limits.ts";
import type { PluginLimits } from "../../contract/limits.ts";
import { CODE_ROOT, programPath } from "../sandbox/child-program.ts";

/** JavaScript heap of a runner: the glue of its instances and the values in flight, not the guests' memories. */
const HEAP_MIB = 512;

/**
 * Stack of a call that may be suspended. V8 keeps 4 MiB of used stacks for the next calls: the smaller one is, the
 * more calls at a time are spared the mapping of a new one. Interpreters need some: on half of this, native code of
 * Python overflows at half of Python's recursion limit. A call that cannot suspend runs on V8's usual 984 KiB.
 */
const SUSPENDABLE_STACK_KIB = 256;

/**
 * What Node and V8 allocate beside what instances take: half of it before the first line of a program. A runner
 * is judged by the memory that it uses; the bound on what it allocates lies well above, and holds what grows
 * faster than anybody looks. Instances use half or less of what they allocate.
 */
const ALLOCATION_MARGIN_BYTES = 1024 * 1024 * 1024;

/** What decides a runner's powers and limits. */
export interface RunnerFlagOptions {
  readonly config: RunnerConfig;
  readonly limits: Pick<PluginLimits, "memoryBytes" | "runnerMemoryBytes">;
  /** Linear memories of one instance: the memory limit is divided among them. */
  readonly memories: number;
}

/** Arguments for the Node executable. */
export function runnerArguments({ config, limits, memories }: RunnerFlagOptions): string[] {
  const pages = Math.max(1, Math.floor(limits.memoryBytes / memories / WASM_PAGE_BYTES));
  return [
    "--permission",
    `--allow-fs-read=${CODE_ROOT}`,
    `--allow-fs-read=${config.artifactDir}`,
    "--disallow-code-generation-from-strings",
    `--wasm-max-mem-pages=${pages}`,
    `--wasm-max-table-size=${COMPONENT_LIMITS.tableElements}`,
    `--wasm-stack-switching-stack-size=${SUSPENDABLE_STACK_KIB}`,
    `--max-old-space-size=${HEAP_MIB}`,
    // V8 does not count what linear memories grew by: the runner collects those of ended calls itself.
    "--expose-gc",
    "--no-warnings",
    programPath("runner/main"),
    JSON.stringify(config),
  ];
}

/** Bound on what a runner may allocate, used or not. Beyond it an allocation fails. */
export function maxDataBytes({ runnerMemoryBytes }: Pick<PluginLimits, "runnerMemoryBytes">): number {
  return 2 * runnerMemoryBytes + ALLOCATION_MARGIN_BYTES;
}
